import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.DeleteRecordsOptions;
import org.apache.kafka.clients.admin.DescribeProducersOptions;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Offsets, and records that are deleted. */
final class Records {
  static final long SOME_TIME = 1_700_000_000_000L;

  private Records() {}

  static KafkaProducer<byte[], byte[]> producer(Report report, Map<String, Object> more) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", report.bootstrap);
    settings.put("acks", "all");
    settings.put("enable.idempotence", false);
    settings.put("enable.metrics.push", false);
    settings.putAll(more);
    return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
  }

  /** A batch for each record, a second apart; the last one is not the youngest. */
  static void write(Report report, String topic, int partition, int count, int bytes) throws Exception {
    try (KafkaProducer<byte[], byte[]> producer = producer(report, Map.of())) {
      for (int i = 0; i < count; i++) {
        long timestamp = SOME_TIME + 1000L * (i == count - 1 ? 0 : i);
        producer.send(new ProducerRecord<>(topic, partition, timestamp, ("key" + i).getBytes(), new byte[bytes])).get();
      }
    }
  }

  private static Map<TopicPartition, Object> offsets(Report report, Map<TopicPartition, OffsetSpec> specs, IsolationLevel level) {
    ListOffsetsResult result = report.admin.listOffsets(specs,
      Report.timed(new ListOffsetsOptions(level), specs));
    Map<TopicPartition, Object> found = new LinkedHashMap<>();
    specs.keySet().forEach(partition -> found.put(partition, result.partitionResult(partition)));
    found.put(new TopicPartition("all of them", 0), result.all());
    return found;
  }

  static void offsets(Report report) throws Exception {
    TopicPartition a = new TopicPartition("a", 0), empty = new TopicPartition("empty", 0), open = new TopicPartition("open", 0);
    Map<String, OffsetSpec> specs = new LinkedHashMap<>();
    specs.put("earliest", OffsetSpec.earliest());
    specs.put("latest", OffsetSpec.latest());
    specs.put("maxTimestamp", OffsetSpec.maxTimestamp());
    specs.put("earliestLocal", OffsetSpec.earliestLocal());
    specs.put("latestTiered", OffsetSpec.latestTiered());
    specs.put("a time before all", OffsetSpec.forTimestamp(0));
    specs.put("a time between", OffsetSpec.forTimestamp(SOME_TIME + 2500));
    specs.put("a time after all", OffsetSpec.forTimestamp(SOME_TIME + 1_000_000));
    specs.put("a negative time", OffsetSpec.forTimestamp(-77));
    for (IsolationLevel level : IsolationLevel.values()) {
      specs.forEach((name, spec) -> {
        Map<TopicPartition, OffsetSpec> wanted = new LinkedHashMap<>();
        for (TopicPartition partition : List.of(a, empty, open)) wanted.put(partition, spec);
        report.call("listOffsets: " + name + ", " + level, () -> offsets(report, wanted, level));
      });
    }
    report.call("listOffsets: different specs at once", () -> offsets(report, Map.of(
      a, OffsetSpec.earliest(), empty, OffsetSpec.latest(), open, OffsetSpec.maxTimestamp()), IsolationLevel.READ_UNCOMMITTED));
    for (String name : List.of("earliest", "maxTimestamp", "latestTiered")) {
      report.call("listOffsets: an unknown topic, " + name, () -> offsets(report, Map.of(
        new TopicPartition("nowhere", 0), specs.get(name), a, specs.get(name)), IsolationLevel.READ_UNCOMMITTED));
    }
    report.call("listOffsets: an unknown partition", () ->
      offsets(report, Map.of(new TopicPartition("a", 99), OffsetSpec.latest()), IsolationLevel.READ_UNCOMMITTED));
    report.call("listOffsets: a bad name", () ->
      offsets(report, Map.of(new TopicPartition("a/b", 0), OffsetSpec.latest()), IsolationLevel.READ_UNCOMMITTED));
    report.call("listOffsets: nothing", () -> report.admin.listOffsets(Map.of()).all());
  }

  private static Object delete(Report report, Map<TopicPartition, RecordsToDelete> wanted) {
    return report.admin.deleteRecords(wanted, Report.timed(new DeleteRecordsOptions(), wanted));
  }

  static void deletion(Report report) throws Exception {
    TopicPartition a = new TopicPartition("a", 0), trimmed = new TopicPartition("trimmed", 0);
    write(report, "trimmed", 0, 10, 10);
    write(report, "compacted", 0, 3, 10);
    report.call("deleteRecords: some", () -> delete(report, Map.of(trimmed, RecordsToDelete.beforeOffset(4))));
    report.call("deleteRecords: some that are gone", () -> delete(report, Map.of(trimmed, RecordsToDelete.beforeOffset(2))));
    report.call("deleteRecords: more than there are", () -> delete(report, Map.of(trimmed, RecordsToDelete.beforeOffset(11))));
    report.call("deleteRecords: a negative offset", () -> delete(report, Map.of(trimmed, RecordsToDelete.beforeOffset(-5))));
    report.call("deleteRecords: all", () -> delete(report, Map.of(trimmed, RecordsToDelete.beforeOffset(-1))));
    report.call("deleteRecords: of a compacted topic", () ->
      delete(report, Map.of(new TopicPartition("compacted", 0), RecordsToDelete.beforeOffset(1))));
    report.call("deleteRecords: of an internal topic", () ->
      delete(report, Map.of(new TopicPartition("__consumer_offsets", 0), RecordsToDelete.beforeOffset(0))));
    report.call("deleteRecords: an unknown topic, and a known one", () -> delete(report, Map.of(
      new TopicPartition("nowhere", 0), RecordsToDelete.beforeOffset(1), a, RecordsToDelete.beforeOffset(0))));
    report.call("deleteRecords: an unknown partition", () ->
      delete(report, Map.of(new TopicPartition("a", 99), RecordsToDelete.beforeOffset(1))));
    report.call("deleteRecords: nothing", () -> delete(report, Map.of()));
    report.call("listOffsets: after a deletion", () ->
      offsets(report, Map.of(trimmed, OffsetSpec.earliest()), IsolationLevel.READ_UNCOMMITTED));
    report.call("listOffsets: after a deletion, earliestLocal", () ->
      offsets(report, Map.of(trimmed, OffsetSpec.earliestLocal()), IsolationLevel.READ_UNCOMMITTED));
    report.call("listOffsets: after a deletion, maxTimestamp", () ->
      offsets(report, Map.of(trimmed, OffsetSpec.maxTimestamp()), IsolationLevel.READ_UNCOMMITTED));
  }

  private static Object producers(Report report, Integer broker, TopicPartition... partitions) {
    DescribeProducersOptions options = new DescribeProducersOptions();
    Report.timed(options, List.of(partitions) + " at " + broker);
    if (broker != null) options.brokerId(broker);
    var result = report.admin.describeProducers(List.of(partitions), options);
    List<Object> found = new ArrayList<>();
    for (TopicPartition partition : partitions) found.add(Map.of(partition, result.partitionResult(partition)));
    found.add(result.all());
    return found;
  }

  static void producers(Report report) throws Exception {
    TopicPartition written = new TopicPartition("written", 0);
    try (KafkaProducer<byte[], byte[]> producer = producer(report, Map.of("enable.idempotence", true))) {
      for (int i = 0; i < 7; i++) producer.send(new ProducerRecord<>("written", 0, SOME_TIME + i, null, new byte[10])).get();
    }
    report.call("describeProducers: an idempotent one", () -> producers(report, null, written));
    report.call("describeProducers: none", () ->
      producers(report, null, new TopicPartition("a", 0), new TopicPartition("empty", 0)));
    report.call("describeProducers: in a transaction", () -> producers(report, null, new TopicPartition("open", 0)));
    for (int id = 0; id < 3; id++) {
      int broker = id;
      report.call("describeProducers: at broker " + broker, () -> producers(report, broker, written));
    }
    report.call("describeProducers: at an unknown broker", () -> producers(report, 77, written));
    report.call("describeProducers: an unknown topic", () -> producers(report, null, new TopicPartition("nowhere", 0), written));
    report.call("describeProducers: an unknown partition of a broker", () -> producers(report, 0, new TopicPartition("a", 99)));
    report.call("describeProducers: nothing", () -> report.admin.describeProducers(List.of()));
  }
}
