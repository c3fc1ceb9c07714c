// Counts words with Kafka Streams, exactly once: java -cp "JARS/*" WordCount.java BOOTSTRAP STATE_DIRECTORY INPUT OUTPUT
// Says its states; ends cleanly with its standard input.
import java.time.Duration;
import java.util.Arrays;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.KStream;

public class WordCount {
  public static void main(String[] args) throws Exception {
    Properties p = new Properties();
    p.put(StreamsConfig.APPLICATION_ID_CONFIG, "word-count");
    p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
    p.put(StreamsConfig.STATE_DIR_CONFIG, args[1]);
    p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    p.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 3);
    p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
    // Every count goes out, so that the output tells of each word that was counted twice or not at all.
    p.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
    p.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    p.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    p.put("session.timeout.ms", 6000);
    p.put("heartbeat.interval.ms", 1000);
    p.put("auto.offset.reset", "earliest");
    StreamsBuilder builder = new StreamsBuilder();
    KStream<String, String> lines = builder.stream(args[2]);
    lines.flatMapValues(line -> Arrays.asList(line.split(" ")))
      .groupBy((key, word) -> word)
      .count()
      .toStream()
      .mapValues(String::valueOf)
      .to(args[3]);
    KafkaStreams streams = new KafkaStreams(builder.build(), p);
    streams.setStateListener((state, before) -> System.out.println(state));
    streams.start();
    while (System.in.read() >= 0) { }
    System.exit(streams.close(Duration.ofSeconds(40)) ? 0 : 3);
  }
}
