import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.AbstractOptions;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ReplicaInfo;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;

/** Says, a line of JSON for each call, everything that came of it. */
final class Report {
  interface Body {
    Object run() throws Exception;
  }

  interface Condition {
    boolean holds() throws Exception;
  }

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long PATIENCE_MS = 60_000;
  /** What two clusters cannot have in common. */
  private static final Set<String> OWN = Set.of("lastTimestamp", "transactionStartTimeMs", "totalBytes", "usableBytes",
    "producerId", "finalizedFeaturesEpoch");

  private static final Set<Class<?>> WRAPPERS =
    Set.of(ExecutionException.class, CompletionException.class, InvocationTargetException.class);

  private static final Pattern UNKNOWN = Pattern.compile("nowhere-0|a-99|77|'-1'");

  final Admin admin;
  final String bootstrap;
  private final List<String> wanted;
  private final Map<String, String> names = new HashMap<>();

  /** `wanted`: parts of the names of calls to tell of; all when there are none. */
  Report(Admin admin, String bootstrap, List<String> wanted) {
    this.admin = admin;
    this.bootstrap = bootstrap;
    this.wanted = wanted;
  }

  /** A text that is made up by each cluster: how to name it. */
  void name(Object secret, String name) {
    names.put(secret.toString(), name);
  }

  void call(String name, Body body) {
    JsonNode answer;
    try {
      answer = plain(body.run(), null);
    } catch (Throwable error) {
      answer = plain(error, null);
    }
    if (!wanted.isEmpty() && wanted.stream().noneMatch(name::contains)) return;
    ObjectNode line = JSON.createObjectNode();
    line.put("call", name);
    line.set("answer", answer);
    System.out.println(line);
  }

  /** Whom nobody knows, clients look for until their time is over. */
  static <T extends AbstractOptions<T>> T timed(T options, Object wanted) {
    return options.timeoutMs(UNKNOWN.matcher(wanted.toString()).find() ? 2500 : 30_000);
  }

  /** What is not compared must work. */
  void until(String what, Condition condition) throws Exception {
    long deadline = System.currentTimeMillis() + PATIENCE_MS;
    for (Throwable last = null; ; Thread.sleep(100)) {
      try {
        if (condition.holds()) return;
      } catch (ExecutionException error) {
        last = error.getCause();
      }
      if (System.currentTimeMillis() > deadline) throw new IllegalStateException("never: " + what + (last == null
        ? "" : "; " + last), last);
    }
  }

  /** Until whoever is asked knows so many replicas of the first partition. */
  void replicated(String topic, int replicas) throws Exception {
    for (int i = 0; i < 6; i++) {
      until(topic + " with " + replicas + " replicas", () ->
        admin.describeTopics(List.of(topic)).topicNameValues().get(topic).get()
        .partitions().get(0).replicas().size() == replicas);
    }
  }

  /** Until whoever is asked knows these topics, with every replica in sync. */
  void settled(String... topics) throws Exception {
    for (int i = 0; i < 4; i++) {
      until(Arrays.toString(topics) + " in sync", () -> {
        Map<String, TopicDescription> found = admin.describeTopics(List.of(topics)).allTopicNames().get();
        found.forEach((name, topic) -> name(topic.topicId(), "<id of " + name + ">"));
        return found.values().stream().flatMap(topic -> topic.partitions().stream())
          .allMatch(partition -> partition.leader() != null && partition.isr().size() == partition.replicas().size());
      });
    }
  }

  /** Everything that a value says of itself. */
  private JsonNode plain(Object value, String field) {
    if (value == null) return JSON.nullNode();
    if (value instanceof KafkaFuture) return await((KafkaFuture<?>) value, field);
    if (value instanceof Throwable) return error((Throwable) value);
    if (value instanceof Optional) return plain(((Optional<?>) value).orElse(null), field);
    if (value instanceof OptionalInt) return plain(((OptionalInt) value).isPresent() ? ((OptionalInt) value).getAsInt() : null,
      field);
    if (value instanceof OptionalLong) return plain(((OptionalLong) value).isPresent()
      ? ((OptionalLong) value).getAsLong() : null, field);
    if (value instanceof Boolean) return JSON.getNodeFactory().booleanNode((Boolean) value);
    if (value instanceof Number) return number((Number) value, field);
    if (value instanceof Enum) return text(((Enum<?>) value).name());
    if (value instanceof Uuid) return text(Uuid.ZERO_UUID.equals(value)
      ? "<no id>" : names.getOrDefault(value.toString(), "<id>"));
    if (value instanceof byte[]) return text(((byte[]) value).length + " bytes");
    if (value instanceof Node) return text(value + (((Node) value).hasRack() ? "" : " without a rack"));
    if (value instanceof Map) return map((Map<?, ?>) value);
    if (value instanceof Object[]) return list(Arrays.asList((Object[]) value));
    if (value instanceof Collection) return list((Collection<?>) value);
    if (value instanceof String || isName(value)) return text(value.toString());
    return fields(value, Set.of());
  }

  private JsonNode await(KafkaFuture<?> future, String field) {
    try {
      Object value = future.get(PATIENCE_MS, TimeUnit.MILLISECONDS);
      return value == null ? text("done") : plain(value, field);
    } catch (Throwable error) {
      return error(error);
    }
  }

  private JsonNode error(Throwable error) {
    Throwable cause = error;
    while (cause.getCause() != null && WRAPPERS.contains(cause.getClass())) cause = cause.getCause();
    ObjectNode node = JSON.createObjectNode();
    node.put("error", cause.getClass().getSimpleName());
    node.set("errorMessage", cause.getMessage() == null ? JSON.nullNode() : text(cause.getMessage()));
    return node;
  }

  private JsonNode number(Number value, String field) {
    if (OWN.contains(field == null ? "" : field) && value.longValue() >= 0) return text("<" + field + ">");
    // Kafka writes control records in its own time.
    if ("timestamp".equals(field) && value.longValue() > Records.SOME_TIME + 10_000_000_000L) return text("<now>");
    if (value instanceof Double) return JSON.getNodeFactory().numberNode(value.doubleValue());
    return JSON.getNodeFactory().numberNode(value.longValue());
  }

  private JsonNode text(String value) {
    String named = value;
    for (Map.Entry<String, String> entry : names.entrySet()) named = named.replace(entry.getKey(), entry.getValue());
    return JSON.getNodeFactory().textNode(named
      .replaceAll("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>")
      // How far a call came before its time was over.
      .replaceAll("Call\\(callName=(\\S+), deadlineMs=.*\\) timed out at \\d+ after \\d+ attempt\\(s\\)",
        "Timed out waiting for a node assignment. Call: $1")
      .replaceAll("(?<=producerId=|producer id )\\d+", "<producer id>"));
  }

  private JsonNode map(Map<?, ?> map) {
    Map<String, JsonNode> sorted = new TreeMap<>();
    map.forEach((key, value) -> {
      // How much a coordinator writes is a matter of time.
      boolean isOwn = value instanceof ReplicaInfo && ((TopicPartition) key).topic().startsWith("__");
      JsonNode name = plain(key, null);
      sorted.put(name.isTextual() ? name.asText() : name.toString(), isOwn ? fields(value, Set.of("size")) : plain(value, null));
    });
    ObjectNode node = JSON.createObjectNode();
    sorted.forEach(node::set);
    return node;
  }

  private JsonNode list(Collection<?> values) {
    if (!values.isEmpty() && values.stream().allMatch(value -> value instanceof ConfigEntry)) return entries(values);
    List<JsonNode> rows = new ArrayList<>();
    boolean hasOrder = values instanceof List;
    for (Object value : values) {
      rows.add(plain(value, null));
      hasOrder = hasOrder && (value instanceof Node || value instanceof Number || value instanceof ConfigEntry.ConfigSynonym);
    }
    if (!hasOrder) rows.sort(Comparator.comparing(JsonNode::toString));
    ArrayNode node = JSON.createArrayNode();
    rows.forEach(node::add);
    return node;
  }

  /** By their names: Kafka's order is that of a hash map. Its sentences are its own. */
  private JsonNode entries(Collection<?> values) {
    Map<String, JsonNode> sorted = new TreeMap<>();
    for (Object each : values) sorted.put(((ConfigEntry) each).name(), fields(each, Set.of("documentation")));
    ObjectNode node = JSON.createObjectNode();
    sorted.forEach(node::set);
    return node;
  }

  private JsonNode fields(Object value, Set<String> leftOut) {
    Map<String, JsonNode> sorted = new TreeMap<>();
    for (Method method : value.getClass().getMethods()) {
      boolean asks = method.getParameterCount() == 0 && method.getReturnType() != void.class
        && !Modifier.isStatic(method.getModifiers());
      boolean isIts = method.getDeclaringClass().getName().startsWith("org.apache.kafka.")
        && !method.isAnnotationPresent(Deprecated.class);
      if (!asks || !isIts || Set.of("toString",
        "hashCode").contains(method.getName()) || leftOut.contains(method.getName())) continue;
      try {
        method.setAccessible(true);
        sorted.put(method.getName(), plain(method.invoke(value), method.getName()));
      } catch (ReflectiveOperationException error) {
        sorted.put(method.getName(), error(error));
      }
    }
    ObjectNode node = JSON.createObjectNode();
    sorted.forEach(node::set);
    return node;
  }

  /** What stands for itself as a text. */
  private static boolean isName(Object value) {
    return Set.of("TopicPartition", "TopicPartitionReplica", "ConfigResource", "ClientQuotaEntity", "AclBinding",
      "AclBindingFilter", "KafkaPrincipal")
      .contains(value.getClass().getSimpleName());
  }
}
