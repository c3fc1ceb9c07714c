import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.lang.reflect.Method;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;

/**
 * Calls every method of the Admin client on a new cluster of three brokers, and says what came of it, a line of JSON a call.
 * java -cp ... AdminCalls BOOTSTRAP DIRECTORIES_OF_BROKER_0 [part of a call's name ...]
 */
public final class AdminCalls {
  private AdminCalls() {}

  public static void main(String[] args) throws Exception {
    Map<String, Object> settings = Map.of("bootstrap.servers", args[0], "client.id", "admin", "default.api.timeout.ms", 30_000,
      "request.timeout.ms", 20_000);
    Admin real = Admin.create(settings);
    Counting counting = new Counting(real);
    Report report = new Report(counting.admin, args[0], List.of(args).subList(2, args.length));
    Cluster.describe(report);
    Topics.prepare(report);
    try (KafkaProducer<byte[], byte[]> held = Transactions.begin(report, "held")) {
      Topics.create(report);
      Topics.list(report);
      Topics.grow(report);
      Configs.describe(report);
      Records.offsets(report);
      Records.producers(report);
      Transactions.look(report);
      Transactions.end(report, held);
    }
    Records.deletion(report);
    LogDirs.run(report, args[1].split(","));
    Topics.elect(report);
    Topics.reassign(report);
    Groups.run(report);
    Configs.alterTopics(report);
    Configs.alterBrokers(report);
    Cluster.features(report);
    Cluster.withoutZooKeeper(report);
    Cluster.security(report);
    Topics.delete(report);
    Cluster.scram(report);
    Cluster.quotas(report);
    report.call("close", () -> {
      real.close();
      return "closed";
    });
    report.call("describeCluster: closed", () -> real.describeCluster().clusterId().get());
    // A method that a later version brings.
    List<String> missed = Stream.of(Admin.class.getMethods()).map(Method::getName).distinct()
      .filter(name -> !counting.called.contains(name) && !List.of("create", "close").contains(name)).sorted().toList();
    if (!missed.isEmpty()) System.err.println("never called: " + missed);
    System.exit(missed.isEmpty() ? 0 : 3);
  }
}
