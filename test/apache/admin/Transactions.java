import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.AbortTransactionOptions;
import org.apache.kafka.clients.admin.AbortTransactionSpec;
import org.apache.kafka.clients.admin.DescribeTransactionsOptions;
import org.apache.kafka.clients.admin.FenceProducersOptions;
import org.apache.kafka.clients.admin.FenceProducersResult;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** Transactions, their producers, and those who end them from outside. */
final class Transactions {
  private static final TopicPartition OPEN = new TopicPartition("open", 0);

  private Transactions() {}

  /** A transaction that goes on while others look, with a record of a committed one before it. */
  static KafkaProducer<byte[], byte[]> begin(Report report, String id) throws Exception {
    Map<String, Object> settings = Map.of("enable.idempotence", true, "transactional.id", id, "transaction.timeout.ms", 300_000);
    // So that there is an epoch before that of the transaction.
    try (KafkaProducer<byte[], byte[]> before = Records.producer(report, settings)) {
      before.initTransactions();
    }
    KafkaProducer<byte[], byte[]> producer = Records.producer(report, settings);
    producer.initTransactions();
    producer.beginTransaction();
    producer.send(new ProducerRecord<>("open", 0, Records.SOME_TIME, null, new byte[10])).get();
    producer.commitTransaction();
    producer.beginTransaction();
    for (int i = 1; i < 4; i++) producer.send(new ProducerRecord<>("open", 0, Records.SOME_TIME + i * 1000, null,
      new byte[10])).get();
    return producer;
  }

  private static ProducerState state(Report report) throws Exception {
    return report.admin.describeProducers(List.of(OPEN)).partitionResult(OPEN).get().activeProducers().get(0);
  }

  static void look(Report report) throws Exception {
    long producerId = state(report).producerId();
    report.call("describeTransactions", () -> report.admin.describeTransactions(List.of("held")));
    report.call("describeTransactions: known and unknown", () -> {
      var result = report.admin.describeTransactions(List.of("held", "unknown"), new DescribeTransactionsOptions());
      return List.of(result.description("held"), result.description("unknown"), result.all());
    });
    report.call("describeTransactions: no id", () ->
      report.admin.describeTransactions(List.of(""), new DescribeTransactionsOptions()));
    report.call("describeTransactions: nothing", () -> report.admin.describeTransactions(List.of()).all());
    report.call("listTransactions", () -> report.admin.listTransactions());
    for (TransactionState state : TransactionState.values())
      report.call("listTransactions: " + state, () ->
        report.admin.listTransactions(new ListTransactionsOptions().filterStates(List.of(state))).all());
    report.call("listTransactions: two states", () -> report.admin.listTransactions(new ListTransactionsOptions()
      .filterStates(List.of(TransactionState.ONGOING, TransactionState.EMPTY))).all());
    report.call("listTransactions: of a producer", () ->
      report.admin.listTransactions(new ListTransactionsOptions().filterProducerIds(List.of(producerId))).all());
    report.call("listTransactions: of an unknown producer", () ->
      report.admin.listTransactions(new ListTransactionsOptions().filterProducerIds(List.of(987654321L))).all());
    report.call("listTransactions: of a negative producer", () ->
      report.admin.listTransactions(new ListTransactionsOptions().filterProducerIds(List.of(-1L))).all());
    report.call("listTransactions: for an hour", () ->
      report.admin.listTransactions(new ListTransactionsOptions().filterOnDuration(3_600_000)).all());
    report.call("listTransactions: for a moment", () ->
      report.admin.listTransactions(new ListTransactionsOptions().filterOnDuration(1)).all());
    report.call("listTransactions: by brokers", () -> report.admin.listTransactions().allByBrokerId());
  }

  private static Object abort(Report report, TopicPartition partition, long producerId, int epoch, int coordinatorEpoch) {
    return report.admin.abortTransaction(new AbortTransactionSpec(partition, producerId, (short) epoch, coordinatorEpoch),
      Report.timed(new AbortTransactionOptions(), partition));
  }

  /** What the producer hears at the end. */
  private static Object commit(KafkaProducer<byte[], byte[]> producer) {
    producer.commitTransaction();
    return "committed";
  }

  private static Object fence(Report report, String... ids) {
    FenceProducersResult result = report.admin.fenceProducers(List.of(ids),
      (FenceProducersOptions) new FenceProducersOptions().timeoutMs(10_000));
    Object epochs = List.of(ids).stream().map(id -> Map.of(id, result.epochId(id))).toArray();
    return new Object[] {result, epochs};
  }

  static void end(Report report, KafkaProducer<byte[], byte[]> held) throws Exception {
    ProducerState state = state(report);
    int coordinatorEpoch = state.coordinatorEpoch().orElse(0);
    report.call("abortTransaction: an unknown topic", () ->
      abort(report, new TopicPartition("nowhere", 0), state.producerId(), state.producerEpoch(), coordinatorEpoch));
    report.call("abortTransaction: an unknown producer", () -> abort(report, new TopicPartition("empty", 0), 987654321L, 0, 0));
    report.call("abortTransaction: an old epoch", () ->
      abort(report, OPEN, state.producerId(), state.producerEpoch() - 1, coordinatorEpoch));
    report.call("abortTransaction: an old coordinator", () ->
      abort(report, OPEN, state.producerId(), state.producerEpoch(), coordinatorEpoch - 1));
    report.call("abortTransaction", () -> abort(report, OPEN, state.producerId(), state.producerEpoch(), coordinatorEpoch));
    report.call("describeProducers: aborted", () -> report.admin.describeProducers(List.of(OPEN)).all());
    report.call("abortTransaction: again", () ->
      abort(report, OPEN, state.producerId(), state.producerEpoch(), coordinatorEpoch));
    report.call("describeTransactions: aborted behind its back", () -> report.admin.describeTransactions(List.of("held")).all());
    report.call("fenceProducers", () -> fence(report, "held"));
    report.call("fenceProducers: an unknown one and a known one", () -> fence(report, "held", "new"));
    report.call("fenceProducers: nothing", () -> report.admin.fenceProducers(List.of()));
    report.call("a producer that was fenced", () -> commit(held));
    report.until("its transaction is over", () -> {
      TransactionState now = report.admin.describeTransactions(List.of("held")).description("held").get().state();
      return now == TransactionState.COMPLETE_ABORT || now == TransactionState.EMPTY;
    });
    report.call("describeTransactions: fenced", () -> report.admin.describeTransactions(List.of("held", "new")).all());
    report.call("listTransactions: fenced", () -> report.admin.listTransactions().all());
  }
}
