import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/**
 * Kafka's own codec as a filter. A line in: message name, version to read, version to write, hex of the message ('-' for an
 * instance with nothing set). A line out: hex in the version to write, or '!' and the exception's class.
 */
public class RoundTrip {
    static final String[] PACKAGES = {
        "org.apache.kafka.common.message.%sData", "org.apache.kafka.common.message.%s",
        "org.apache.kafka.coordinator.group.generated.%s", "org.apache.kafka.coordinator.transaction.generated.%s",
    };

    static Class<?> find(String name) throws ClassNotFoundException {
        for (String pattern : PACKAGES) {
            try {
                return Class.forName(String.format(pattern, name));
            } catch (ClassNotFoundException e) {
                // The next package may have it.
            }
        }
        throw new ClassNotFoundException(name);
    }

    public static void main(String[] args) throws Exception {
        Map<String, Class<?>> classes = new HashMap<>();
        HexFormat hex = HexFormat.of();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        PrintStream out = new PrintStream(System.out, false);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] parts = line.split(" ", -1);
            Class<?> type = classes.get(parts[0]);
            if (type == null) classes.put(parts[0], type = find(parts[0]));
            try {
                Message message = (Message) type.getConstructor().newInstance();
                if (!parts[3].equals("-")) {
                    ByteBuffer bytes = ByteBuffer.wrap(hex.parseHex(parts[3]));
                    message.read(new ByteBufferAccessor(bytes), Short.parseShort(parts[1]));
                    if (bytes.hasRemaining()) throw new IllegalStateException("bytes are left");
                }
                short version = Short.parseShort(parts[2]);
                ObjectSerializationCache cache = new ObjectSerializationCache();
                ByteBuffer written = ByteBuffer.allocate(message.size(cache, version));
                message.write(new ByteBufferAccessor(written), cache, version);
                out.println(hex.formatHex(written.array()));
            } catch (Exception e) {
                out.println("!" + e.getClass().getSimpleName());
            }
        }
        out.flush();
    }
}
