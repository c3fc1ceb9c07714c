import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.HashSet;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.AlterConfigsOptions;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.ConfigResource.Type;

/** What describes and changes configurations. */
final class Configs {
  private Configs() {}

  private static ConfigResource resource(Type type, String name) {
    return new ConfigResource(type, name);
  }

  private static DescribeConfigsOptions options(boolean isWhole) {
    return new DescribeConfigsOptions().includeSynonyms(isWhole).includeDocumentation(isWhole).timeoutMs(5000);
  }

  static void describe(Report report) {
    for (boolean isWhole : new boolean[] {false, true}) {
      String how = isWhole ? "with synonyms and documentation: " : "";
      for (String topic : List.of("a", "configured", "compacted", "__consumer_offsets", "with-configs"))
        report.call("describeConfigs: " + how + "topic " + topic, () ->
          report.admin.describeConfigs(List.of(resource(Type.TOPIC, topic)), options(isWhole)));
      for (String broker : List.of("0", "1", ""))
        report.call("describeConfigs: " + how + "broker " + broker, () ->
          report.admin.describeConfigs(List.of(resource(Type.BROKER, broker)), options(isWhole)));
    }
    // The others are one per Java class.
    ConfigResource loggers = resource(Type.BROKER_LOGGER, "0");
    for (String name : List.of("root", "no.such.logger"))
      report.call("describeConfigs: logger " + name, () ->
        report.admin.describeConfigs(List.of(loggers), options(false)).all().get().get(loggers).get(name));
    report.call("describeConfigs: several", () -> {
      var found = report.admin.describeConfigs(List.of(resource(Type.TOPIC, "a"), resource(Type.TOPIC, "nowhere"),
        resource(Type.BROKER, ""))).values();
      return Map.of("known", found.get(resource(Type.TOPIC, "a")), "unknown", found.get(resource(Type.TOPIC, "nowhere")));
    });
    for (Type type : Type.values())
      for (String name : List.of("", "nowhere", "a/b", "77", "-1"))
        // The default of brokers stands above.
        if (type != Type.BROKER || !name.isEmpty()) {
          report.call("describeConfigs: " + type + " " + name, () ->
            report.admin.describeConfigs(List.of(resource(type, name)),
              Report.timed(new DescribeConfigsOptions(), resource(type, name))));
        }
    report.call("describeConfigs: nothing", () -> report.admin.describeConfigs(List.of()));
  }

  private static AlterConfigOp op(OpType type, String key, String value) {
    return new AlterConfigOp(new ConfigEntry(key, value), type);
  }

  /** Changes, and what is set afterwards. */
  private static void change(Report report, String name, Type type, String of, AlterConfigOp... ops) {
    Map<ConfigResource, Collection<AlterConfigOp>> changes = Map.of(resource(type, of), List.of(ops));
    report.call("incrementalAlterConfigs, validated only: " + name, () ->
      report.admin.incrementalAlterConfigs(changes, Report.timed(new AlterConfigsOptions().validateOnly(true), changes)));
    report.call("incrementalAlterConfigs: " + name, () ->
      report.admin.incrementalAlterConfigs(changes, Report.timed(new AlterConfigsOptions(), changes)));
  }

  private static Map<String, String> set(Report report, ConfigResource of) throws Exception {
    Map<String, String> found = new LinkedHashMap<>();
    Set<ConfigEntry.ConfigSource> sources = new HashSet<>(List.of(ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG,
      ConfigEntry.ConfigSource.DYNAMIC_BROKER_CONFIG, ConfigEntry.ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG));
    for (ConfigEntry each : report.admin.describeConfigs(List.of(of)).values().get(of).get().entries())
      if (sources.contains(each.source())) found.put(each.name(), each.source() + " " + each.value());
    return found;
  }

  /** What was told of a resource last. */
  private static final Map<ConfigResource, Map<String, String>> TOLD = new HashMap<>();

  /** The keys that are set, and their values, once the broker has heard of the last change; it may be that nothing changes. */
  private static void tell(Report report, String name, Type type, String of) throws Exception {
    ConfigResource resource = resource(type, of);
    Map<String, String> before = TOLD.getOrDefault(resource, Map.of()), last = set(report, resource);
    long deadline = System.currentTimeMillis() + 3000;
    for (int same = 0; same < 3 || (last.equals(before) && System.currentTimeMillis() < deadline); ) {
      Thread.sleep(100);
      Map<String, String> now = set(report, resource);
      same = now.equals(last) ? same + 1 : 0;
      last = now;
    }
    Map<String, String> found = last;
    TOLD.put(resource, found);
    report.call("describeConfigs: " + name, () -> found);
  }

  static void alterTopics(Report report) throws Exception {
    String topic = "configured";
    change(report, "set", Type.TOPIC, topic, op(OpType.SET, "retention.ms", "777000"),
      op(OpType.SET, "max.message.bytes", "2000000"));
    change(report, "append", Type.TOPIC, topic, op(OpType.APPEND, "cleanup.policy", "delete"));
    tell(report, "set and appended", Type.TOPIC, topic);
    change(report, "append what is there", Type.TOPIC, topic, op(OpType.APPEND, "cleanup.policy", "delete"));
    change(report, "subtract", Type.TOPIC, topic, op(OpType.SUBTRACT, "cleanup.policy", "compact"));
    change(report, "subtract what is not there", Type.TOPIC, topic, op(OpType.SUBTRACT, "cleanup.policy", "compact"));
    change(report, "delete", Type.TOPIC, topic, op(OpType.DELETE, "retention.ms", null), op(OpType.DELETE, "flush.messages", ""));
    change(report, "delete what is not set", Type.TOPIC, topic, op(OpType.DELETE, "retention.ms", null));
    tell(report, "subtracted and deleted", Type.TOPIC, topic);
    change(report, "append to no list", Type.TOPIC, topic, op(OpType.APPEND, "retention.ms", "1"));
    change(report, "subtract from no list", Type.TOPIC, topic, op(OpType.SUBTRACT, "retention.ms", "1"));
    change(report, "an unknown key", Type.TOPIC, topic, op(OpType.SET, "no.such.key", "1"));
    change(report, "an unknown key deleted", Type.TOPIC, topic, op(OpType.DELETE, "no.such.key", null));
    change(report, "a key of brokers", Type.TOPIC, topic, op(OpType.SET, "log.retention.ms", "1"));
    change(report, "a bad number", Type.TOPIC, topic, op(OpType.SET, "retention.ms", "soon"));
    change(report, "a number out of range", Type.TOPIC, topic, op(OpType.SET, "min.insync.replicas", "0"));
    change(report, "a bad value", Type.TOPIC, topic, op(OpType.SET, "compression.type", "tar"));
    change(report, "a bad boolean", Type.TOPIC, topic, op(OpType.SET, "preallocate", "perhaps"));
    change(report, "a bad list", Type.TOPIC, topic, op(OpType.APPEND, "cleanup.policy", "burn"));
    change(report, "an empty value", Type.TOPIC, topic, op(OpType.SET, "retention.ms", ""));
    change(report, "null", Type.TOPIC, topic, op(OpType.SET, "retention.ms", null));
    change(report, "a key twice", Type.TOPIC, topic, op(OpType.SET, "retention.ms", "1"), op(OpType.SET, "retention.ms", "2"));
    change(report, "throttled replicas", Type.TOPIC, topic, op(OpType.SET, "leader.replication.throttled.replicas", "0:1,1:2"));
    change(report, "bad throttled replicas", Type.TOPIC, topic, op(OpType.SET, "leader.replication.throttled.replicas", "all"));
    change(report, "tiered storage", Type.TOPIC, topic, op(OpType.SET, "remote.storage.enable", "true"));
    change(report, "tiered retention", Type.TOPIC, topic, op(OpType.SET, "local.retention.ms", "1000"));
    change(report, "an unknown topic", Type.TOPIC, "nowhere", op(OpType.SET, "retention.ms", "1"));
    change(report, "a bad name", Type.TOPIC, "a/b", op(OpType.SET, "retention.ms", "1"));
    change(report, "no name", Type.TOPIC, "", op(OpType.SET, "retention.ms", "1"));
    change(report, "no changes", Type.TOPIC, topic);
    tell(report, "after bad changes", Type.TOPIC, topic);
    replace(report, "topic", Type.TOPIC, topic, new ConfigEntry("retention.ms", "4444"),
      new ConfigEntry("segment.bytes", "2000000"));
    tell(report, "replaced", Type.TOPIC, topic);
    replace(report, "topic, bad value", Type.TOPIC, topic, new ConfigEntry("retention.ms", "soon"));
    replace(report, "topic, unknown key", Type.TOPIC, topic, new ConfigEntry("no.such.key", "1"));
    replace(report, "topic, null", Type.TOPIC, topic, new ConfigEntry("retention.ms", null));
    replace(report, "unknown topic", Type.TOPIC, "nowhere", new ConfigEntry("retention.ms", "1"));
    replace(report, "nothing left", Type.TOPIC, topic);
    tell(report, "replaced by nothing", Type.TOPIC, topic);
    report.call("incrementalAlterConfigs: a good one and a bad one", () -> report.admin.incrementalAlterConfigs(Map.of(
      resource(Type.TOPIC, topic), List.of(op(OpType.SET, "retention.ms", "5555")), resource(Type.TOPIC, "a"),
        List.of(op(OpType.SET, "retention.ms", "soon")))));
    report.call("incrementalAlterConfigs: nothing", () -> report.admin.incrementalAlterConfigs(Map.of()));
  }

  private static void replace(Report report, String name, Type type, String of, ConfigEntry... entries) {
    Map<ConfigResource, Config> wanted = Map.of(resource(type, of), new Config(List.of(entries)));
    for (boolean isDry : new boolean[] {true, false})
      report.call("alterConfigs" + (isDry ? ", validated only: " : ": ") + name, () -> alter(report, wanted, isDry));
  }

  @SuppressWarnings("deprecation")
  private static Object alter(Report report, Map<ConfigResource, Config> wanted, boolean isDry) {
    return report.admin.alterConfigs(wanted, Report.timed(new AlterConfigsOptions().validateOnly(isDry), wanted));
  }

  static void alterBrokers(Report report) throws Exception {
    change(report, "broker: set", Type.BROKER, "0", op(OpType.SET, "log.cleaner.backoff.ms", "3000"),
      op(OpType.SET, "message.max.bytes", "2000000"));
    change(report, "all brokers: set", Type.BROKER, "", op(OpType.SET, "log.cleaner.backoff.ms", "4000"),
      op(OpType.SET, "log.flush.interval.ms", "60000"));
    tell(report, "broker 0, set", Type.BROKER, "0");
    tell(report, "broker 1, set", Type.BROKER, "1");
    tell(report, "all brokers, set", Type.BROKER, "");
    ConfigResource first = resource(Type.BROKER, "0");
    for (String key : List.of("log.cleaner.backoff.ms", "message.max.bytes", "log.flush.interval.ms"))
      report.call("describeConfigs: synonyms of " + key, () ->
        report.admin.describeConfigs(List.of(first),
        new DescribeConfigsOptions().includeSynonyms(true)).values().get(first).get().get(key));
    report.call("describeConfigs: synonyms of a topic's key", () -> {
      ConfigResource topic = resource(Type.TOPIC, "empty");
      Config found = report.admin.describeConfigs(List.of(topic),
        new DescribeConfigsOptions().includeSynonyms(true)).values().get(topic).get();
      return List.of(found.get("flush.ms"), found.get("retention.ms"));
    });
    change(report, "broker: append", Type.BROKER, "0", op(OpType.APPEND, "log.cleanup.policy", "compact"));
    tell(report, "broker 0, appended", Type.BROKER, "0");
    change(report, "broker: subtract", Type.BROKER, "0", op(OpType.SUBTRACT, "log.cleanup.policy", "compact"));
    change(report, "broker: a key that is only read", Type.BROKER, "0", op(OpType.SET, "broker.id", "3"));
    change(report, "broker: zookeeper.connect", Type.BROKER, "0", op(OpType.SET, "zookeeper.connect", "nowhere:1"));
    change(report, "broker: a bad value", Type.BROKER, "0", op(OpType.SET, "log.cleaner.threads", "many"));
    change(report, "broker: a value out of range", Type.BROKER, "0", op(OpType.SET, "log.cleaner.threads", "-1"));
    change(report, "broker: too many threads at once", Type.BROKER, "0", op(OpType.SET, "num.io.threads", "64"));
    change(report, "broker: an unknown key", Type.BROKER, "0", op(OpType.SET, "no.such.key", "1"));
    change(report, "broker: listeners", Type.BROKER, "0", op(OpType.SET, "listeners", "PLAINTEXT://:1,PLAINTEXT://:2"));
    change(report, "all brokers: a key of each", Type.BROKER, "", op(OpType.SET, "listeners", "PLAINTEXT://:1"));
    change(report, "all brokers: a bad value", Type.BROKER, "", op(OpType.SET, "log.retention.ms", "soon"));
    change(report, "an unknown broker", Type.BROKER, "77", op(OpType.SET, "log.retention.ms", "1"));
    change(report, "no broker's name", Type.BROKER, "one", op(OpType.SET, "log.retention.ms", "1"));
    change(report, "broker: no changes", Type.BROKER, "0");
    replace(report, "broker", Type.BROKER, "0", new ConfigEntry("log.cleaner.backoff.ms", "5000"));
    tell(report, "broker 0, replaced", Type.BROKER, "0");
    replace(report, "broker, only read", Type.BROKER, "0", new ConfigEntry("broker.id", "7"));
    replace(report, "broker, bad value", Type.BROKER, "0", new ConfigEntry("log.cleaner.backoff.ms", "soon"));
    replace(report, "broker, nothing left", Type.BROKER, "0");
    replace(report, "all brokers, nothing left", Type.BROKER, "");
    tell(report, "broker 0, replaced by nothing", Type.BROKER, "0");
    tell(report, "all brokers, replaced by nothing", Type.BROKER, "");
    change(report, "loggers: set", Type.BROKER_LOGGER, "1", op(OpType.SET, "root", "WARN"));
    change(report, "loggers: delete", Type.BROKER_LOGGER, "1", op(OpType.DELETE, "root", null));
    change(report, "loggers: a bad level", Type.BROKER_LOGGER, "1", op(OpType.SET, "root", "LOUD"));
    change(report, "loggers: an unknown one", Type.BROKER_LOGGER, "1", op(OpType.SET, "no.such.logger", "INFO"));
    change(report, "loggers: an unknown one deleted", Type.BROKER_LOGGER, "1", op(OpType.DELETE, "no.such.logger", null));
    change(report, "loggers: append", Type.BROKER_LOGGER, "1", op(OpType.APPEND, "root", "INFO"));
    change(report, "loggers: back to INFO", Type.BROKER_LOGGER, "1", op(OpType.SET, "root", "INFO"));
    replace(report, "loggers", Type.BROKER_LOGGER, "1", new ConfigEntry("root", "INFO"));
    for (Type type : List.of(Type.UNKNOWN, Type.CLIENT_METRICS)) {
      change(report, type + "", type, "some", op(OpType.SET, "interval.ms", "1000"));
      replace(report, type + "", type, "some", new ConfigEntry("interval.ms", "1000"));
    }
  }
}
