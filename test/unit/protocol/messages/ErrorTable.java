import org.apache.kafka.common.errors.InvalidMetadataException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.protocol.Errors;

/** Prints Kafka's error codes, a line each: code, name, retriable, stale metadata, message; tabs between them. */
public class ErrorTable {
    public static void main(String[] args) {
        for (Errors error : Errors.values()) {
            Object exception = error.exception();
            String message = exception == null ? "" : error.message();
            System.out.println(String.join("\t", String.valueOf(error.code()), error.name(),
                String.valueOf(exception instanceof RetriableException), String.valueOf(exception instanceof InvalidMetadataException), message));
        }
    }
}
