import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.AlterConsumerGroupOffsetsOptions;
import org.apache.kafka.clients.admin.DeleteConsumerGroupOffsetsOptions;
import org.apache.kafka.clients.admin.DeleteConsumerGroupsOptions;
import org.apache.kafka.clients.admin.DescribeConsumerGroupsOptions;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsOptions;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.ListConsumerGroupsOptions;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.ConsumerGroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Consumer groups: their members and their offsets. */
final class Groups {
  private Groups() {}

  /** Polls until it is told to stop. */
  private static final class Member implements AutoCloseable {
    private final Thread thread;
    private volatile boolean isGoing = true;
    private volatile boolean isAssigned = false;

    Member(Report report, String group, String clientId, String instance, String strategy) {
      Map<String, Object> settings = new HashMap<>();
      settings.put("bootstrap.servers", report.bootstrap);
      settings.put("group.id", group);
      settings.put("client.id", clientId);
      settings.put("auto.offset.reset", "earliest");
      settings.put("enable.auto.commit", false);
      settings.put("enable.metrics.push", false);
      settings.put("partition.assignment.strategy", "org.apache.kafka.clients.consumer." + strategy);
      if (instance != null) settings.put("group.instance.id", instance);
      thread = new Thread(() -> {
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(),
          new ByteArrayDeserializer())) {
          consumer.subscribe(List.of("a"));
          while (isGoing) {
            consumer.poll(Duration.ofMillis(100));
            isAssigned = !consumer.assignment().isEmpty();
          }
        } catch (RuntimeException error) {
          System.err.println(clientId + ": " + error);
        }
      }, clientId);
      thread.setDaemon(true);
      thread.start();
    }

    /** A static member stays a member. */
    @Override
    public void close() throws InterruptedException {
      isGoing = false;
      thread.join();
    }
  }

  private static void stable(Report report, String group, Member... members) throws Exception {
    report.until(group + " has its members", () -> {
      var found = report.admin.describeConsumerGroups(List.of(group)).all().get().get(group);
      boolean assigned = true;
      for (Member member : members) assigned = assigned && member.isAssigned;
      return assigned && found.state() == ConsumerGroupState.STABLE && found.members().size() == members.length;
    });
  }

  private static Map<TopicPartition, OffsetAndMetadata> offsets(long offset, String metadata, TopicPartition... partitions) {
    Map<TopicPartition, OffsetAndMetadata> found = new LinkedHashMap<>();
    for (TopicPartition partition : partitions) found.put(partition, new OffsetAndMetadata(offset, metadata));
    return found;
  }

  private static final TopicPartition A0 = new TopicPartition("a", 0), A1 = new TopicPartition("a", 1),
    EMPTY = new TopicPartition("empty", 0);
  private static final TopicPartition NOWHERE = new TopicPartition("nowhere", 0);

  static void run(Report report) throws Exception {
    offsetsOfGroups(report);
    try (
      Member one = new Member(report, "range", "one", null, "RangeAssignor");
      Member two = new Member(report, "range", "two", "instance-2", "RangeAssignor");
      Member other = new Member(report, "robin", "robin", null, "RoundRobinAssignor");
      Member last = new Member(report, "sticky", "sticky", "instance-1", "CooperativeStickyAssignor")
    ) {
      stable(report, "range", one, two);
      stable(report, "robin", other);
      stable(report, "sticky", last);
      describe(report);
      withMembers(report);
    }
    remove(report);
    delete(report);
  }

  private static Object alter(Report report, String group, Map<TopicPartition, OffsetAndMetadata> offsets) {
    var result = report.admin.alterConsumerGroupOffsets(group, offsets, new AlterConsumerGroupOffsetsOptions());
    Map<TopicPartition, Object> found = new LinkedHashMap<>();
    offsets.keySet().forEach(partition -> found.put(partition, result.partitionResult(partition)));
    return List.of(found, result.all());
  }

  private static Object read(Report report, String group, List<TopicPartition> partitions, boolean isStable) {
    ListConsumerGroupOffsetsOptions options = new ListConsumerGroupOffsetsOptions().requireStable(isStable);
    return report.admin.listConsumerGroupOffsets(Map.of(group, new ListConsumerGroupOffsetsSpec().topicPartitions(partitions)),
      options);
  }

  private static void offsetsOfGroups(Report report) {
    report.call("alterConsumerGroupOffsets: a new group", () -> alter(report, "simple", offsets(3, "note", A0, A1, EMPTY)));
    report.call("alterConsumerGroupOffsets: with an epoch", () ->
      alter(report, "simple", Map.of(A1, new OffsetAndMetadata(1, java.util.Optional.of(0), "epoch"))));
    report.call("alterConsumerGroupOffsets: an unknown topic", () -> alter(report, "simple", offsets(3, "", A0, NOWHERE)));
    report.call("alterConsumerGroupOffsets: an unknown partition", () ->
      alter(report, "simple", offsets(3, "", new TopicPartition("a", 99))));
    report.call("alterConsumerGroupOffsets: beyond the end", () -> alter(report, "other", offsets(987654, "", A0)));
    report.call("alterConsumerGroupOffsets: long metadata", () -> alter(report, "other", offsets(3, "m".repeat(5000), A0)));
    report.call("alterConsumerGroupOffsets: null metadata", () -> alter(report, "other", offsets(4, null, A1)));
    report.call("alterConsumerGroupOffsets: no group", () -> alter(report, "", offsets(3, "", A0)));
    report.call("alterConsumerGroupOffsets: nothing", () -> alter(report, "other", Map.of()));
    report.call("listConsumerGroupOffsets", () -> report.admin.listConsumerGroupOffsets("simple"));
    report.call("listConsumerGroupOffsets: of partitions", () ->
      read(report, "simple", List.of(A0, NOWHERE, new TopicPartition("a", 99)), false));
    report.call("listConsumerGroupOffsets: no partitions", () -> read(report, "simple", List.of(), false));
    report.call("listConsumerGroupOffsets: stable", () -> read(report, "simple", null, true));
    report.call("listConsumerGroupOffsets: an unknown group", () -> read(report, "unknown", null, false));
    report.call("listConsumerGroupOffsets: partitions of an unknown group", () -> read(report, "unknown", List.of(A0), true));
    report.call("listConsumerGroupOffsets: no group", () -> read(report, "", null, false));
    report.call("listConsumerGroupOffsets: of many", () -> {
      Map<String, ListConsumerGroupOffsetsSpec> specs = new LinkedHashMap<>();
      specs.put("simple", new ListConsumerGroupOffsetsSpec());
      specs.put("other", new ListConsumerGroupOffsetsSpec().topicPartitions(List.of(A0, A1)));
      specs.put("unknown", new ListConsumerGroupOffsetsSpec());
      var result = report.admin.listConsumerGroupOffsets(specs);
      List<Object> found = new ArrayList<>();
      for (String group : specs.keySet()) found.add(Map.of(group, result.partitionsToOffsetAndMetadata(group)));
      found.add(result.all());
      return found;
    });
  }

  private static void describe(Report report) {
    for (String group : List.of("range", "robin", "sticky", "simple", "unknown", ""))
      report.call("describeConsumerGroups: " + group, () -> report.admin.describeConsumerGroups(List.of(group)));
    report.call("describeConsumerGroups: many, and what one may do", () -> report.admin.describeConsumerGroups(
      List.of("range", "simple", "unknown"), new DescribeConsumerGroupsOptions().includeAuthorizedOperations(true)));
    report.call("describeConsumerGroups: none", () -> report.admin.describeConsumerGroups(List.of()));
    report.call("listConsumerGroups", () -> report.admin.listConsumerGroups());
    for (ConsumerGroupState state : ConsumerGroupState.values())
      report.call("listConsumerGroups: " + state, () ->
        report.admin.listConsumerGroups(new ListConsumerGroupsOptions().inStates(Set.of(state))).all());
    for (GroupType type : GroupType.values())
      report.call("listConsumerGroups: type " + type, () ->
        report.admin.listConsumerGroups(new ListConsumerGroupsOptions().withTypes(Set.of(type))).all());
    report.call("listConsumerGroups: states and types", () -> report.admin.listConsumerGroups(new ListConsumerGroupsOptions()
      .inStates(Set.of(ConsumerGroupState.EMPTY, ConsumerGroupState.STABLE)).withTypes(Set.of(GroupType.CLASSIC))).all());
  }

  private static Object forget(Report report, String group, TopicPartition... partitions) {
    var result = report.admin.deleteConsumerGroupOffsets(group, Set.of(partitions), new DeleteConsumerGroupOffsetsOptions());
    Map<TopicPartition, Object> found = new LinkedHashMap<>();
    for (TopicPartition partition : partitions) found.put(partition, result.partitionResult(partition));
    return List.of(found, result.all());
  }

  private static void withMembers(Report report) {
    report.call("alterConsumerGroupOffsets: a group with members", () -> alter(report, "range", offsets(1, "", A0)));
    report.call("deleteConsumerGroupOffsets: a group with members", () -> forget(report, "range", A0, EMPTY));
    report.call("deleteConsumerGroupOffsets: a topic of members, unknown ones", () ->
      forget(report, "range", NOWHERE, new TopicPartition("a", 99)));
    report.call("deleteConsumerGroups: a group with members", () -> report.admin.deleteConsumerGroups(List.of("range")));
    report.call("removeMembersFromConsumerGroup: an unknown member", () ->
      leave(report, "range", new MemberToRemove("instance-77")));
  }

  private static Object leave(Report report, String group, MemberToRemove... members) {
    RemoveMembersFromConsumerGroupOptions options = members.length == 0
      ? new RemoveMembersFromConsumerGroupOptions() : new RemoveMembersFromConsumerGroupOptions(List.of(members));
    options.reason("they were told to");
    var result = report.admin.removeMembersFromConsumerGroup(group, options);
    Map<String, Object> found = new LinkedHashMap<>();
    for (MemberToRemove member : members) found.put(member.groupInstanceId(), result.memberResult(member));
    return List.of(found, result.all());
  }

  private static void remove(Report report) throws Exception {
    for (String group : List.of("fixed-1", "fixed-2")) {
      try (
        Member one = new Member(report, group, "one", "instance-1", "RangeAssignor");
        Member two = new Member(report, group, "two", "instance-2", "RangeAssignor")
      ) {
        stable(report, group, one, two);
      }
      report.call("describeConsumerGroups: " + group + ", whose members are away", () ->
        report.admin.describeConsumerGroups(List.of(group)));
    }
    report.call("removeMembersFromConsumerGroup: known and unknown", () ->
      leave(report, "fixed-1", new MemberToRemove("instance-1"), new MemberToRemove("instance-77")));
    report.call("removeMembersFromConsumerGroup: the other one", () ->
      leave(report, "fixed-1", new MemberToRemove("instance-2")));
    report.call("removeMembersFromConsumerGroup: all", () -> leave(report, "fixed-2"));
    report.call("removeMembersFromConsumerGroup: all of nobody", () -> leave(report, "fixed-2"));
    report.call("removeMembersFromConsumerGroup: all of an unknown group", () -> leave(report, "unknown"));
    report.call("removeMembersFromConsumerGroup: one of an unknown group", () ->
      leave(report, "unknown", new MemberToRemove("instance-1")));
    report.call("removeMembersFromConsumerGroup: no group", () -> leave(report, "", new MemberToRemove("instance-1")));
    for (String group : List.of("fixed-1", "fixed-2"))
      report.call("describeConsumerGroups: " + group + ", whose members left", () ->
        report.admin.describeConsumerGroups(List.of(group)));
  }

  private static void delete(Report report) {
    report.call("deleteConsumerGroupOffsets", () -> forget(report, "simple", A0));
    report.call("deleteConsumerGroupOffsets: gone and unknown", () -> forget(report, "simple", A0, NOWHERE, A1));
    report.call("deleteConsumerGroupOffsets: an unknown group", () -> forget(report, "unknown", A0));
    report.call("deleteConsumerGroupOffsets: no group", () -> forget(report, "", A0));
    report.call("listConsumerGroupOffsets: after the deletion", () -> report.admin.listConsumerGroupOffsets("simple"));
    report.call("deleteConsumerGroups", () -> report.admin.deleteConsumerGroups(List.of("other", "fixed-1")));
    report.call("deleteConsumerGroups: gone, unknown and known", () ->
      report.admin.deleteConsumerGroups(List.of("other", "unknown", "simple")));
    report.call("deleteConsumerGroups: no group", () ->
      report.admin.deleteConsumerGroups(List.of(""), new DeleteConsumerGroupsOptions()));
    report.call("deleteConsumerGroups: nothing", () -> report.admin.deleteConsumerGroups(List.of()));
    report.call("listConsumerGroups: after deletions", () -> report.admin.listConsumerGroups());
  }
}
