import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.AlterReplicaLogDirsOptions;
import org.apache.kafka.clients.admin.DescribeLogDirsOptions;
import org.apache.kafka.clients.admin.DescribeReplicaLogDirsOptions;
import org.apache.kafka.clients.admin.DescribeReplicaLogDirsResult.ReplicaLogDirInfo;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.admin.ReplicaInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionReplica;

/** Where replicas are, and how they move from one directory to another. */
final class LogDirs {
  private static final Set<String> KNOWN = Set.of("a", "empty", "open", "trimmed", "written", "compacted", "configured",
    "assigned", "__consumer_offsets");

  private LogDirs() {}

  private static Object move(Report report, TopicPartitionReplica replica, String dir) {
    return report.admin.alterReplicaLogDirs(Map.of(replica, dir),
      Report.timed(new AlterReplicaLogDirsOptions(), replica.brokerId()));
  }

  private static ReplicaLogDirInfo place(Report report, TopicPartitionReplica replica) throws Exception {
    return report.admin.describeReplicaLogDirs(List.of(replica)).values().get(replica).get();
  }

  /** Which of two equally full directories a replica comes to is left to chance. */
  private static Object describe(Report report) throws Exception {
    Map<Integer, Map<String, LogDirDescription>> found = report.admin.describeLogDirs(List.of(0, 1, 2)).allDescriptions().get();
    Map<Integer, Object> brokers = new TreeMap<>();
    found.forEach((broker, dirs) -> {
      Map<TopicPartition, ReplicaInfo> replicas = new HashMap<>();
      dirs.values().forEach(dir -> replicas.putAll(dir.replicaInfos()));
      replicas.keySet().removeIf(partition -> !KNOWN.contains(partition.topic()));
      int[] counts = dirs.values().stream().mapToInt(dir -> dir.replicaInfos().size()).sorted().toArray();
      Object spaces = dirs.values().stream().map(dir -> dir.totalBytes().isPresent() && dir.usableBytes().isPresent()).toArray();
      brokers.put(broker, new Object[] {dirs.keySet(), replicas, spaces,
        "balanced: " + (counts[counts.length - 1] - counts[0] <= 2)});
    });
    return brokers;
  }

  /** `dirs`: those of broker 0. */
  static void run(Report report, String[] dirs) throws Exception {
    TopicPartitionReplica first = new TopicPartitionReplica("a", 0, 0), second = new TopicPartitionReplica("a", 0, 1);
    report.call("alterReplicaLogDirs: one", () -> move(report, first, dirs[1]));
    report.until("it is there", () -> {
      ReplicaLogDirInfo info = place(report, first);
      return dirs[1].equals(info.getCurrentReplicaLogDir()) && info.getFutureReplicaLogDir() == null;
    });
    report.call("alterReplicaLogDirs: a long name", () ->
      move(report, new TopicPartitionReplica("x".repeat(249), 0, 0), dirs[0]));
    report.call("alterReplicaLogDirs: where it is", () -> move(report, first, dirs[1]));
    report.call("alterReplicaLogDirs: an unknown directory", () -> move(report, first, "/nowhere"));
    report.call("alterReplicaLogDirs: a relative directory", () -> move(report, first, "nowhere"));
    report.call("alterReplicaLogDirs: no directory", () -> move(report, first, ""));
    report.call("alterReplicaLogDirs: an unknown partition", () ->
      move(report, new TopicPartitionReplica("nowhere", 0, 0), dirs[0]));
    report.call("alterReplicaLogDirs: a partition of others", () -> move(report, new TopicPartitionReplica("a", 1, 0), dirs[0]));
    report.call("alterReplicaLogDirs: an unknown broker", () -> move(report, new TopicPartitionReplica("a", 0, 77), dirs[0]));
    report.call("alterReplicaLogDirs: nothing", () -> report.admin.alterReplicaLogDirs(Map.of()));
    report.call("describeReplicaLogDirs", () -> report.admin.describeReplicaLogDirs(List.of(first)));
    report.call("describeReplicaLogDirs: no replica", () ->
      report.admin.describeReplicaLogDirs(List.of(new TopicPartitionReplica("a", 1, 0),
      new TopicPartitionReplica("nowhere", 0, 1))));
    report.call("describeReplicaLogDirs: an unknown broker", () -> report.admin.describeReplicaLogDirs(
      List.of(new TopicPartitionReplica("a", 0, 77), second),
        Report.timed(new DescribeReplicaLogDirsOptions(), 77)).values().get(new TopicPartitionReplica("a", 0, 77)));
    report.call("describeLogDirs", () -> describe(report));
    report.call("describeLogDirs: an unknown broker", () ->
      report.admin.describeLogDirs(List.of(77), Report.timed(new DescribeLogDirsOptions(), 77)));
    report.call("describeLogDirs: nothing", () -> report.admin.describeLogDirs(List.of()));
  }
}
