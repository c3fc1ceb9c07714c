import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.MemoryRecordsBuilder;
import org.apache.kafka.common.record.MutableRecordBatch;
import org.apache.kafka.common.record.Record;
import org.apache.kafka.common.utils.ByteBufferOutputStream;

/**
 * Kafka's own record batches as a filter. A line in: hex of the records of one partition. A line out, of each batch: what Kafka
 * reads in it, '#', and hex of the batch that Kafka makes of the same; or '!' and the exception.
 */
public class Batches {
    static final HexFormat HEX = HexFormat.of();

    static String hex(ByteBuffer bytes) {
        if (bytes == null) return "null";
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        return HEX.formatHex(copy);
    }

    static String read(MutableRecordBatch batch) {
        batch.ensureValid();
        StringBuilder text = new StringBuilder(String.join(" ", "" + batch.magic(), batch.compressionType().name, batch.timestampType().name,
            "" + batch.baseOffset(), "" + batch.lastOffset(), "" + batch.maxTimestamp(), "" + batch.partitionLeaderEpoch(), "" + batch.producerId(),
            "" + batch.producerEpoch(), "" + batch.baseSequence(), "" + batch.isTransactional(), "" + batch.deleteHorizonMs().orElse(-1)));
        for (Record record : batch) {
            text.append('|').append(record.offset()).append(' ').append(record.timestamp()).append(' ').append(hex(record.key())).append(' ').append(hex(record.value()));
            for (Header header : record.headers())
                text.append(' ').append(hex(ByteBuffer.wrap(header.key().getBytes(java.nio.charset.StandardCharsets.UTF_8)))).append('=')
                    .append(hex(header.value() == null ? null : ByteBuffer.wrap(header.value())));
        }
        return text.toString();
    }

    static String made(MutableRecordBatch batch) {
        ByteBufferOutputStream out = new ByteBufferOutputStream(1024);
        long appendTime = batch.timestampType() == org.apache.kafka.common.record.TimestampType.LOG_APPEND_TIME ? batch.maxTimestamp() : -1;
        MemoryRecordsBuilder builder = new MemoryRecordsBuilder(out, batch.magic(), Compression.of(batch.compressionType()).build(), batch.timestampType(),
            batch.baseOffset(), appendTime, batch.producerId(), batch.producerEpoch(), batch.baseSequence(), batch.isTransactional(), false,
            batch.partitionLeaderEpoch(), Integer.MAX_VALUE, batch.deleteHorizonMs().orElse(-1));
        for (Record record : batch) builder.appendWithOffset(record.offset(), record);
        if (batch.magic() >= 2) builder.overrideLastOffset(batch.lastOffset());
        return hex(builder.build().buffer());
    }

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        PrintStream out = new PrintStream(System.out, false);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            StringBuilder answer = new StringBuilder();
            try {
                for (MutableRecordBatch batch : MemoryRecords.readableRecords(ByteBuffer.wrap(HEX.parseHex(line))).batches())
                    answer.append(answer.length() == 0 ? "" : "##").append(read(batch)).append('#').append(made(batch));
            } catch (Exception e) {
                answer.append('!').append(e);
            }
            out.println(answer);
        }
        out.flush();
    }
}
