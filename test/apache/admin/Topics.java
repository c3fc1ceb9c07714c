import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterPartitionReassignmentsOptions;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreatePartitionsOptions;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.DeleteTopicsOptions;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.ElectLeadersOptions;
import org.apache.kafka.clients.admin.ListPartitionReassignmentsOptions;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;

/** Topics, their partitions, replicas and leaders. */
final class Topics {
  private Topics() {}

  static NewTopic topic(String name, Map<String, String> configs, Integer... replicas) {
    return new NewTopic(name, Map.of(0, List.of(replicas))).configs(configs);
  }

  /** What the other sections work with. */
  static void prepare(Report report) throws Exception {
    Map<String, String> compact = Map.of("cleanup.policy", "compact");
    Map<Integer, List<Integer>> everywhere = Map.of(0, List.of(0, 1, 2), 1, List.of(1, 2, 0), 2, List.of(2, 0, 1));
    report.admin.createTopics(List.of(
      new NewTopic("a", Map.of(0, List.of(0, 1), 1, List.of(1, 2))).configs(Map.of("retention.bytes", "123456789",
        "max.message.bytes", "1048600")),
      topic("empty", Map.of(), 2, 0), topic("open", Map.of(), 1, 0), topic("trimmed", Map.of(), 2, 1),
        topic("written", Map.of(), 0, 1),
      topic("compacted", compact, 0), topic("configured", Map.of("flush.messages", "5", "cleanup.policy", "compact"), 1),
      new NewTopic("__consumer_offsets", everywhere).configs(compact),
        new NewTopic("__transaction_state", everywhere).configs(compact)
    )).all().get();
    report.settled("a", "empty", "open", "trimmed", "written", "compacted", "configured", "__consumer_offsets",
      "__transaction_state");
    Records.write(report, "a", 0, 5, 10);
  }

  private static Object create(Report report, CreateTopicsOptions options, NewTopic... topics) {
    CreateTopicsResult result = report.admin.createTopics(List.of(topics), options);
    Map<String, Object> found = new LinkedHashMap<>();
    found.put("result", result);
    for (NewTopic topic : topics) {
      String name = topic.name();
      found.put("of " + name, List.of(result.topicId(name), result.numPartitions(name), result.replicationFactor(name),
        result.config(name)));
    }
    return found;
  }

  static void create(Report report) throws Exception {
    CreateTopicsOptions usual = new CreateTopicsOptions(), dry = new CreateTopicsOptions().validateOnly(true);
    Map<String, NewTopic> good = new LinkedHashMap<>();
    good.put("counted", new NewTopic("counted", 3, (short) 2));
    good.put("defaults", new NewTopic("defaults", Optional.empty(), Optional.empty()));
    good.put("default replication", new NewTopic("half", Optional.of(2), Optional.empty()));
    good.put("configured", new NewTopic("with-configs", 1, (short) 1)
      .configs(Map.of("retention.ms", "1000", "cleanup.policy", "compact,delete", "min.insync.replicas", "2")));
    good.put("assigned", new NewTopic("assigned", Map.of(0, List.of(2, 1), 1, List.of(0, 2)))
      .configs(Map.of("segment.bytes", "1048576")));
    good.put("with a dot", new NewTopic("with.dot", 1, (short) 1));
    good.put("a long name", new NewTopic("x".repeat(249), Map.of(0, List.of(0))));
    for (Map.Entry<String, NewTopic> each : good.entrySet()) {
      report.call("createTopics, validated only: " + each.getKey(), () -> create(report, dry, each.getValue()));
      report.call("createTopics: " + each.getKey(), () -> create(report, usual, each.getValue()));
      report.settled(each.getValue().name());
    }
    Map<String, NewTopic> bad = new LinkedHashMap<>();
    bad.put("one that is there", new NewTopic("a", 1, (short) 1));
    bad.put("an internal one that is there", new NewTopic("__consumer_offsets", 1, (short) 1));
    bad.put("no partitions", new NewTopic("bad-1", 0, (short) 1));
    bad.put("negative partitions", new NewTopic("bad-2", -5, (short) 1));
    bad.put("no replicas", new NewTopic("bad-3", 1, (short) 0));
    bad.put("negative replicas", new NewTopic("bad-4", 1, (short) -3));
    bad.put("too many replicas", new NewTopic("bad-5", 1, (short) 4));
    for (String name : List.of("", ".", "..", "a/b", "x".repeat(250), "ümlaut", "with_dot"))
      bad.put("the name " + name, new NewTopic(name, 1, (short) 1));
    bad.put("an unknown key", new NewTopic("bad-6", 1, (short) 1).configs(Map.of("no.such.key", "1")));
    bad.put("a bad value", new NewTopic("bad-7", 1, (short) 1).configs(Map.of("retention.ms", "soon")));
    bad.put("a value out of range", new NewTopic("bad-8", 1, (short) 1).configs(Map.of("min.insync.replicas", "0")));
    bad.put("a bad list", new NewTopic("bad-9", 1, (short) 1).configs(Map.of("cleanup.policy", "burn")));
    bad.put("a null value", new NewTopic("bad-10", 1, (short) 1).configs(Collections.singletonMap("retention.ms", null)));
    bad.put("tiered storage", new NewTopic("bad-11", 1, (short) 1).configs(Map.of("remote.storage.enable", "true")));
    bad.put("an unknown broker", new NewTopic("bad-12", Map.of(0, List.of(0, 9))));
    bad.put("a broker twice", new NewTopic("bad-13", Map.of(0, List.of(1, 1))));
    bad.put("partitions from 1", new NewTopic("bad-16", Map.of(1, List.of(0))));
    bad.put("a gap of partitions", new NewTopic("bad-17", Map.of(0, List.of(0), 2, List.of(0))));
    bad.put("unequal replicas", new NewTopic("bad-18", Map.of(0, List.of(0), 1, List.of(0, 1))));
    bad.put("no assignment", new NewTopic("bad-19", Map.of()));
    bad.forEach((name, topic) -> {
      report.call("createTopics, validated only: " + name, () -> create(report, dry, topic));
      report.call("createTopics: " + name, () -> create(report, usual, topic));
    });
    // Kafka makes these, and can do nothing with them.
    for (Integer[] replicas : new Integer[][] {{}, {-1}})
      report.call("createTopics, validated only: assigned to " + List.of(replicas), () ->
        create(report, dry, topic("unusable", Map.of(), replicas)));
    report.call("createTopics: the same one twice", () ->
      create(report, usual, new NewTopic("twice", 1, (short) 1), new NewTopic("twice", 2, (short) 1)));
    report.call("createTopics: a good one and a bad one", () ->
      create(report, new CreateTopicsOptions().retryOnQuotaViolation(false),
      new NewTopic("good", 1, (short) 1), new NewTopic("bad/", 1, (short) 1)));
    report.call("createTopics: two that collide", () ->
      create(report, dry, new NewTopic("new.one", 1, (short) 1), new NewTopic("new_one", 1, (short) 1)));
    report.call("createTopics: none", () -> report.admin.createTopics(List.of()));
    report.settled("good");
  }

  static void list(Report report) {
    report.call("listTopics", () -> report.admin.listTopics());
    report.call("listTopics: internal ones too", () -> report.admin.listTopics(new ListTopicsOptions().listInternal(true)));
    String[] known = {"a", "empty", "configured", "assigned", "__consumer_offsets"};
    for (String name : known) {
      report.call("describeTopics: " + name, () -> report.admin.describeTopics(List.of(name)));
      report.call("describeTopics: " + name + " by its id", () -> {
        Uuid id = report.admin.describeTopics(List.of(name)).topicNameValues().get(name).get().topicId();
        return report.admin.describeTopics(TopicCollection.ofTopicIds(List.of(id)));
      });
    }
    report.call("describeTopics: what one may do", () ->
      report.admin.describeTopics(List.of("a", "__consumer_offsets"),
      new DescribeTopicsOptions().includeAuthorizedOperations(true)));
    report.call("describeTopics: what one may do, by id", () -> {
      Uuid id = report.admin.describeTopics(List.of("a")).topicNameValues().get("a").get().topicId();
      return report.admin.describeTopics(TopicCollection.ofTopicIds(List.of(id)),
        new DescribeTopicsOptions().includeAuthorizedOperations(true));
    });
    report.call("describeTopics: one partition an answer", () ->
      report.admin.describeTopics(List.of("a"), new DescribeTopicsOptions().partitionSizeLimitPerResponse(1)));
    for (String name : List.of("nowhere", "", "a/b", "x".repeat(250))) report.call("describeTopics: the name " + name, () ->
      report.admin.describeTopics(List.of("a", name)));
    report.call("describeTopics: an unknown id", () ->
      report.admin.describeTopics(TopicCollection.ofTopicIds(List.of(new Uuid(1, 2)))));
    report.call("describeTopics: no id", () -> report.admin.describeTopics(TopicCollection.ofTopicIds(List.of(Uuid.ZERO_UUID))));
    report.call("describeTopics: none", () -> report.admin.describeTopics(List.of()));
    for (String name : List.of("counted", "defaults", "half", "with-configs")) {
      report.call("describeTopics: how many of " + name, () -> {
        var partitions = report.admin.describeTopics(List.of(name)).topicNameValues().get(name).get().partitions();
        List<Integer> replicas = new ArrayList<>();
        partitions.forEach(partition -> replicas.add(partition.replicas().size()));
        return replicas;
      });
    }
  }

  private static Object grow(Report report, boolean isDry, Map<String, NewPartitions> wanted) {
    return report.admin.createPartitions(wanted, new CreatePartitionsOptions().validateOnly(isDry).retryOnQuotaViolation(!isDry));
  }

  static void grow(Report report) throws Exception {
    Map<String, NewPartitions> wanted = new LinkedHashMap<>();
    wanted.put("assigned", NewPartitions.increaseTo(4, List.of(List.of(1, 2), List.of(2, 0))));
    wanted.put("counted", NewPartitions.increaseTo(5));
    for (Map.Entry<String, NewPartitions> each : wanted.entrySet()) {
      report.call("createPartitions, validated only: " + each.getKey(), () ->
        grow(report, true, Map.of(each.getKey(), each.getValue())));
      report.call("createPartitions: " + each.getKey(), () -> grow(report, false, Map.of(each.getKey(), each.getValue())));
      report.settled(each.getKey());
    }
    Map<String, NewPartitions> bad = new LinkedHashMap<>();
    bad.put("as many as there are", NewPartitions.increaseTo(4));
    bad.put("fewer", NewPartitions.increaseTo(1));
    bad.put("none", NewPartitions.increaseTo(0));
    bad.put("a negative number", NewPartitions.increaseTo(-1));
    bad.put("too few assignments", NewPartitions.increaseTo(6, List.of(List.of(0, 1))));
    bad.put("too many assignments", NewPartitions.increaseTo(5, List.of(List.of(0, 1), List.of(0, 1))));
    bad.put("an unknown broker", NewPartitions.increaseTo(5, List.of(List.of(0, 9))));
    bad.put("a broker twice", NewPartitions.increaseTo(5, List.of(List.of(0, 0))));
    bad.put("another number of replicas", NewPartitions.increaseTo(5, List.of(List.of(0))));
    bad.put("unequal replicas", NewPartitions.increaseTo(6, List.of(List.of(0), List.of(0, 1))));
    bad.put("no replicas", NewPartitions.increaseTo(5, List.of(List.of())));
    bad.forEach((name, each) -> report.call("createPartitions: " + name, () -> grow(report, false, Map.of("assigned", each))));
    report.call("createPartitions: unknown topics", () ->
      grow(report, false, Map.of("nowhere", NewPartitions.increaseTo(3), "a/b", NewPartitions.increaseTo(3))));
    report.call("createPartitions: nothing", () -> grow(report, false, Map.of()));
    report.call("describeTopics: grown", () -> report.admin.describeTopics(List.of("assigned")));
  }

  static void elect(Report report) throws Exception {
    TopicPartition first = new TopicPartition("elected", 0), second = new TopicPartition("elected", 1);
    report.admin.createTopics(List.of(new NewTopic("elected", Map.of(0, List.of(0, 1), 1, List.of(1, 2))))).all().get();
    report.settled("elected");
    report.admin.alterPartitionReassignments(Map.of(first, Optional.of(new NewPartitionReassignment(List.of(1, 0))))).all().get();
    report.settled("elected");
    ElectLeadersOptions options = new ElectLeadersOptions().timeoutMs(10_000);
    Map<String, Set<TopicPartition>> wanted = new LinkedHashMap<>();
    wanted.put("one that leads no more", Set.of(first));
    wanted.put("one that leads", Set.of(first, second));
    wanted.put("an unknown topic", Set.of(new TopicPartition("nowhere", 0)));
    wanted.put("an unknown partition, and a known one", Set.of(new TopicPartition("elected", 7), second));
    wanted.put("nothing", Set.of());
    wanted.put("everything", null);
    for (ElectionType type : ElectionType.values())
      wanted.forEach((name, partitions) -> report.call("electLeaders, " + type + ": " + name, () ->
        report.admin.electLeaders(type, partitions, options)));
  }

  private static Object reassign(Report report, TopicPartition partition, Integer... replicas) {
    Optional<NewPartitionReassignment> wanted = replicas == null
      ? Optional.empty() : Optional.of(new NewPartitionReassignment(Arrays.asList(replicas)));
    return report.admin.alterPartitionReassignments(Map.of(partition, wanted),
      new AlterPartitionReassignmentsOptions());
  }

  private static void throttle(Report report, AlterConfigOp.OpType type) throws Exception {
    Map<ConfigResource, java.util.Collection<AlterConfigOp>> changes = new HashMap<>();
    for (String broker : List.of("0", "1", "2"))
      changes.put(new ConfigResource(ConfigResource.Type.BROKER, broker),
        List.of(new AlterConfigOp(new ConfigEntry("follower.replication.throttled.rate", "1"), type)));
    changes.put(new ConfigResource(ConfigResource.Type.TOPIC, "slow"),
      List.of(new AlterConfigOp(new ConfigEntry("follower.replication.throttled.replicas", "*"), type)));
    report.admin.incrementalAlterConfigs(changes).all().get();
  }

  static void reassign(Report report) throws Exception {
    TopicPartition slow = new TopicPartition("slow", 0), moved = new TopicPartition("moved", 0);
    report.admin.createTopics(List.of(topic("slow", Map.of(), 0, 1), topic("moved", Map.of(), 0, 1))).all().get();
    report.settled("slow", "moved");
    Records.write(report, "slow", 0, 5, 900_000);
    report.call("alterPartitionReassignments: elsewhere", () -> reassign(report, moved, 2));
    report.until("it is moved", () -> report.admin.listPartitionReassignments().reassignments().get().isEmpty());
    report.replicated("moved", 1);
    report.settled("moved");
    report.call("describeTopics: moved", () -> report.admin.describeTopics(List.of("moved")));
    report.call("alterPartitionReassignments: where it is", () -> reassign(report, moved, 2));
    throttle(report, AlterConfigOp.OpType.SET);
    Thread.sleep(500);
    report.call("alterPartitionReassignments: slowly", () -> reassign(report, slow, 2, 0));
    report.until("it has begun", () -> report.admin.listPartitionReassignments().reassignments().get().size() == 1);
    report.call("listPartitionReassignments", () -> report.admin.listPartitionReassignments());
    report.call("listPartitionReassignments: some", () -> report.admin.listPartitionReassignments(Set.of(slow, moved)));
    report.call("listPartitionReassignments: unknown ones", () ->
      report.admin.listPartitionReassignments(Set.of(new TopicPartition("nowhere", 0), new TopicPartition("a", 99))));
    report.call("listPartitionReassignments: none", () ->
      report.admin.listPartitionReassignments(Set.of(), new ListPartitionReassignmentsOptions()));
    report.replicated("slow", 3);
    report.call("describeTopics: on the way", () -> report.admin.describeTopics(List.of("slow")));
    report.call("createPartitions: on the way", () -> grow(report, false, Map.of("slow", NewPartitions.increaseTo(2))));
    report.call("alterPartitionReassignments: another way", () -> reassign(report, slow, 2, 1));
    report.call("listPartitionReassignments: another way", () -> report.admin.listPartitionReassignments());
    report.call("alterPartitionReassignments: cancelled", () -> reassign(report, slow, (Integer[]) null));
    report.until("it is cancelled", () -> report.admin.listPartitionReassignments().reassignments().get().isEmpty());
    report.call("listPartitionReassignments: cancelled", () -> report.admin.listPartitionReassignments());
    report.replicated("slow", 2);
    report.settled("slow");
    report.call("describeTopics: cancelled", () -> report.admin.describeTopics(List.of("slow")));
    throttle(report, AlterConfigOp.OpType.DELETE);
    report.call("alterPartitionReassignments: cancelled again", () -> reassign(report, slow, (Integer[]) null));
    report.call("alterPartitionReassignments: an unknown topic", () -> reassign(report, new TopicPartition("nowhere", 0), 0));
    report.call("alterPartitionReassignments: an unknown topic, cancelled", () ->
      reassign(report, new TopicPartition("nowhere", 0), (Integer[]) null));
    report.call("alterPartitionReassignments: an unknown partition", () -> reassign(report, new TopicPartition("moved", 7), 0));
    report.call("alterPartitionReassignments: a bad name", () -> reassign(report, new TopicPartition("a/b", 0), 0));
    report.call("alterPartitionReassignments: a negative partition", () -> reassign(report, new TopicPartition("moved", -1), 0));
    report.call("alterPartitionReassignments: an unknown broker", () -> reassign(report, moved, 0, 9));
    report.call("alterPartitionReassignments: a broker twice", () -> reassign(report, moved, 0, 0));
    report.call("alterPartitionReassignments: no broker", () -> reassign(report, moved));
    report.call("alterPartitionReassignments: a negative broker", () -> reassign(report, moved, -1));
    report.call("alterPartitionReassignments: nothing", () -> report.admin.alterPartitionReassignments(Map.of()));
  }

  static void delete(Report report) throws Exception {
    DeleteTopicsOptions options = new DeleteTopicsOptions().retryOnQuotaViolation(false);
    Uuid half = report.admin.describeTopics(List.of("half")).topicNameValues().get("half").get().topicId();
    report.call("deleteTopics: by name", () -> report.admin.deleteTopics(List.of("counted", "good", "x".repeat(249))));
    report.call("deleteTopics: by id", () -> report.admin.deleteTopics(TopicCollection.ofTopicIds(List.of(half)), options));
    report.until("they are gone", () -> Collections.disjoint(report.admin.listTopics().names().get(),
      List.of("counted", "good", "half", "x".repeat(249))));
    Thread.sleep(500);
    report.call("deleteTopics: gone by name", () -> report.admin.deleteTopics(List.of("counted")));
    report.call("deleteTopics: gone by id", () -> report.admin.deleteTopics(TopicCollection.ofTopicIds(List.of(half))));
    report.call("deleteTopics: known and unknown", () ->
      report.admin.deleteTopics(TopicCollection.ofTopicNames(List.of("with.dot", "nowhere")), options));
    for (String name : List.of("", "a/b", "x".repeat(250))) report.call("deleteTopics: the name " + name, () ->
      report.admin.deleteTopics(List.of(name)));
    report.call("deleteTopics: no id", () -> report.admin.deleteTopics(TopicCollection.ofTopicIds(List.of(Uuid.ZERO_UUID))));
    report.call("deleteTopics: none", () -> report.admin.deleteTopics(List.of()));
  }
}
