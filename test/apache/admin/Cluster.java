import java.time.Duration;
import java.util.List;
import java.util.LinkedHashMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.CreateDelegationTokenOptions;
import org.apache.kafka.clients.admin.DescribeClientQuotasOptions;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.DescribeDelegationTokenOptions;
import org.apache.kafka.clients.admin.DescribeFeaturesOptions;
import org.apache.kafka.clients.admin.ExpireDelegationTokenOptions;
import org.apache.kafka.clients.admin.FeatureUpdate;
import org.apache.kafka.clients.admin.RaftVoterEndpoint;
import org.apache.kafka.clients.admin.RenewDelegationTokenOptions;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UpdateFeaturesOptions;
import org.apache.kafka.clients.admin.UserScramCredentialAlteration;
import org.apache.kafka.clients.admin.UserScramCredentialDeletion;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.quota.ClientQuotaFilterComponent;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.security.auth.KafkaPrincipal;

/** The cluster as a whole, features, security, quotas, and what only clusters without ZooKeeper do. */
final class Cluster {
  private Cluster() {}

  static void describe(Report report) throws Exception {
    report.name(report.admin.describeCluster().clusterId().get(), "<cluster>");
    report.call("describeCluster", () -> report.admin.describeCluster());
    report.call("describeCluster: what one may do", () ->
      report.admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true)));
    report.call("describeFeatures", () -> report.admin.describeFeatures());
    report.call("describeFeatures: at a time", () ->
      report.admin.describeFeatures(new DescribeFeaturesOptions().timeoutMs(5000)));
    report.call("metrics", () -> {
      Set<String> groups = new TreeSet<>();
      report.admin.metrics().keySet().forEach(name -> groups.add(name.group()));
      return groups;
    });
    report.call("clientInstanceId", () -> report.admin.clientInstanceId(Duration.ofSeconds(2)));
    report.call("clientInstanceId: a negative time", () -> report.admin.clientInstanceId(Duration.ofSeconds(-2)));
    report.call("listClientMetricsResources", () -> report.admin.listClientMetricsResources());
    report.call("a client of controllers", () -> {
      try (Admin other = Admin.create(Map.of("bootstrap.controllers", report.bootstrap, "default.api.timeout.ms", 3000,
        "request.timeout.ms", 2000))) {
        return other.describeCluster().clusterId().get();
      }
    });
  }

  static void features(Report report) {
    Map<String, FeatureUpdate> updates = new LinkedHashMap<>();
    updates.put("unknown", new FeatureUpdate((short) 1, FeatureUpdate.UpgradeType.UPGRADE));
    updates.put("metadata.version", new FeatureUpdate((short) 5, FeatureUpdate.UpgradeType.UPGRADE));
    updates.put("kraft.version", new FeatureUpdate((short) 0, FeatureUpdate.UpgradeType.SAFE_DOWNGRADE));
    updates.put("deleted", new FeatureUpdate((short) 0, FeatureUpdate.UpgradeType.UNSAFE_DOWNGRADE));
    updates.put("downgraded", new FeatureUpdate((short) 1, FeatureUpdate.UpgradeType.SAFE_DOWNGRADE));
    for (boolean isDry : new boolean[] {true, false})
      updates.forEach((name, update) -> report.call("updateFeatures" + (isDry ? ", validated only: " : ": ") + name, () ->
        report.admin.updateFeatures(Map.of(name, update), new UpdateFeaturesOptions().validateOnly(isDry))));
    report.call("updateFeatures: several", () -> report.admin.updateFeatures(updates, new UpdateFeaturesOptions()));
    report.call("updateFeatures: nothing", () -> report.admin.updateFeatures(Map.of(), new UpdateFeaturesOptions()));
    report.call("updateFeatures: no name", () ->
      report.admin.updateFeatures(Map.of("", updates.get("unknown")), new UpdateFeaturesOptions()));
  }

  static void withoutZooKeeper(Report report) {
    report.call("describeMetadataQuorum", () -> report.admin.describeMetadataQuorum());
    report.call("unregisterBroker", () -> report.admin.unregisterBroker(2));
    report.call("unregisterBroker: an unknown one", () -> report.admin.unregisterBroker(77));
    report.call("addRaftVoter", () -> report.admin.addRaftVoter(5, new Uuid(1, 2),
      Set.of(new RaftVoterEndpoint("CONTROLLER", "localhost", 9))));
    report.call("removeRaftVoter", () -> report.admin.removeRaftVoter(5, new Uuid(1, 2)));
  }

  static void security(Report report) {
    ResourcePattern pattern = new ResourcePattern(ResourceType.TOPIC, "a", PatternType.LITERAL);
    AclBinding binding = new AclBinding(pattern,
      new AccessControlEntry("User:x", "*", AclOperation.READ, AclPermissionType.ALLOW));
    report.call("describeAcls", () -> report.admin.describeAcls(AclBindingFilter.ANY));
    report.call("createAcls", () -> report.admin.createAcls(List.of(binding)));
    report.call("createAcls: nothing", () -> report.admin.createAcls(List.of()));
    report.call("deleteAcls", () -> report.admin.deleteAcls(List.of(binding.toFilter(), AclBindingFilter.ANY)));
    KafkaPrincipal principal = new KafkaPrincipal("User", "x");
    report.call("createDelegationToken", () -> report.admin.createDelegationToken());
    report.call("createDelegationToken: for another", () ->
      report.admin.createDelegationToken(new CreateDelegationTokenOptions()
        .owner(principal).renewers(List.of(principal)).maxlifeTimeMs(1000)));
    report.call("renewDelegationToken", () -> report.admin.renewDelegationToken(new byte[16], new RenewDelegationTokenOptions()));
    report.call("expireDelegationToken", () ->
      report.admin.expireDelegationToken(new byte[16], new ExpireDelegationTokenOptions()));
    report.call("describeDelegationToken", () -> report.admin.describeDelegationToken());
    report.call("describeDelegationToken: of an owner", () ->
      report.admin.describeDelegationToken(new DescribeDelegationTokenOptions().owners(List.of(principal))));
  }

  static void scram(Report report) {
    ScramCredentialInfo info = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096);
    Map<String, UserScramCredentialAlteration> changes = new LinkedHashMap<>();
    changes.put("a new one", new UserScramCredentialUpsertion("x", info, "secret"));
    changes.put("another mechanism", new UserScramCredentialUpsertion("x",
      new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 8192), "secret"));
    changes.put("another user", new UserScramCredentialUpsertion("y z", info, "secret"));
    changes.put("too few iterations", new UserScramCredentialUpsertion("x",
      new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 10), "secret"));
    changes.put("too many iterations", new UserScramCredentialUpsertion("x",
      new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 100_000), "secret"));
    changes.put("an unknown mechanism", new UserScramCredentialUpsertion("x",
      new ScramCredentialInfo(ScramMechanism.UNKNOWN, 4096), "secret"));
    changes.put("no user", new UserScramCredentialUpsertion("", info, "secret"));
    changes.put("one that is not there, deleted", new UserScramCredentialDeletion("nobody", ScramMechanism.SCRAM_SHA_256));
    changes.put("an unknown mechanism, deleted", new UserScramCredentialDeletion("x", ScramMechanism.UNKNOWN));
    report.call("describeUserScramCredentials: none", () -> report.admin.describeUserScramCredentials());
    changes.forEach((name, change) -> report.call("alterUserScramCredentials: " + name, () ->
      report.admin.alterUserScramCredentials(List.of(change))));
    report.call("alterUserScramCredentials: the same twice", () ->
      report.admin.alterUserScramCredentials(List.of(changes.get("a new one"), changes.get("a new one"))));
    report.call("alterUserScramCredentials: nothing", () -> report.admin.alterUserScramCredentials(List.of()));
    report.call("describeUserScramCredentials", () -> report.admin.describeUserScramCredentials());
    report.call("describeUserScramCredentials: known and unknown", () -> {
      var result = report.admin.describeUserScramCredentials(List.of("x", "nobody"));
      return List.of(result.description("x"), result.description("nobody"), result.users());
    });
    report.call("describeUserScramCredentials: a user twice", () -> report.admin.describeUserScramCredentials(List.of("x", "x")));
    report.call("alterUserScramCredentials: deleted", () ->
      report.admin.alterUserScramCredentials(List.of(new UserScramCredentialDeletion("x", ScramMechanism.SCRAM_SHA_256))));
    report.call("describeUserScramCredentials: after the deletion", () -> report.admin.describeUserScramCredentials().all());
  }

  private static ClientQuotaEntity entity(String... pairs) {
    Map<String, String> entries = new HashMap<>();
    for (int i = 0; i < pairs.length; i += 2) entries.put(pairs[i], pairs[i + 1]);
    return new ClientQuotaEntity(entries);
  }

  private static Object alter(Report report, boolean isDry, ClientQuotaEntity entity, ClientQuotaAlteration.Op... ops) {
    return report.admin.alterClientQuotas(List.of(new ClientQuotaAlteration(entity, List.of(ops))),
      new org.apache.kafka.clients.admin.AlterClientQuotasOptions().validateOnly(isDry));
  }

  static void quotas(Report report) {
    ClientQuotaAlteration.Op rate = new ClientQuotaAlteration.Op("producer_byte_rate", 1_000_000.0);
    Map<String, ClientQuotaEntity> entities = new LinkedHashMap<>();
    entities.put("a user", entity("user", "x"));
    entities.put("a client", entity("client-id", "c"));
    entities.put("a client of a user", entity("user", "x", "client-id", "c"));
    entities.put("the default user", entity("user", null));
    entities.put("the default client", entity("client-id", null));
    entities.put("a client of the default user", entity("user", null, "client-id", "c"));
    entities.put("the default client of a user", entity("user", "x y", "client-id", null));
    entities.put("an address", entity("ip", "127.0.0.9"));
    entities.put("an unknown kind", entity("planet", "x"));
    entities.put("an address of a user", entity("user", "x", "ip", "127.0.0.9"));
    entities.put("no address", entity("ip", "nowhere."));
    entities.put("a user without a name", entity("user", ""));
    entities.put("nothing", entity());
    report.call("describeClientQuotas: none", () -> report.admin.describeClientQuotas(ClientQuotaFilter.all()));
    entities.forEach((name, entity) -> {
      report.call("alterClientQuotas, validated only: " + name, () -> alter(report, true, entity, rate));
      report.call("alterClientQuotas: " + name, () -> alter(report, false, entity, rate));
    });
    Map<String, ClientQuotaAlteration.Op> ops = new LinkedHashMap<>();
    ops.put("an unknown key", new ClientQuotaAlteration.Op("no_such_rate", 1.0));
    ops.put("a key of addresses", new ClientQuotaAlteration.Op("connection_creation_rate", 1.0));
    ops.put("a negative value", new ClientQuotaAlteration.Op("producer_byte_rate", -1.0));
    ops.put("0", new ClientQuotaAlteration.Op("producer_byte_rate", 0.0));
    ops.put("a fraction of bytes", new ClientQuotaAlteration.Op("producer_byte_rate", 1.5));
    ops.put("a fraction of requests", new ClientQuotaAlteration.Op("request_percentage", 12.5));
    ops.put("a fraction of mutations", new ClientQuotaAlteration.Op("controller_mutation_rate", 2.5));
    ops.put("a huge value", new ClientQuotaAlteration.Op("consumer_byte_rate", 1e300));
    ops.put("what is not set, removed", new ClientQuotaAlteration.Op("consumer_byte_rate", null));
    ops.forEach((name, op) -> report.call("alterClientQuotas: " + name, () -> alter(report, false, entity("user", "z"), op)));
    report.call("alterClientQuotas: an address's rate", () ->
      alter(report, false, entity("ip", "127.0.0.8"), new ClientQuotaAlteration.Op("connection_creation_rate", 10.0)));
    report.call("alterClientQuotas: the default address", () ->
      alter(report, false, entity("ip", null), new ClientQuotaAlteration.Op("connection_creation_rate", 11.0)));
    report.call("alterClientQuotas: a fraction of connections", () ->
      alter(report, false, entity("ip", "127.0.0.8"), new ClientQuotaAlteration.Op("connection_creation_rate", 1.5)));
    report.call("alterClientQuotas: no entities", () -> report.admin.alterClientQuotas(List.of()));
    Map<String, ClientQuotaFilter> filters = new LinkedHashMap<>();
    filters.put("all", ClientQuotaFilter.all());
    filters.put("users", ClientQuotaFilter.contains(List.of(ClientQuotaFilterComponent.ofEntityType("user"))));
    filters.put("users only", ClientQuotaFilter.containsOnly(List.of(ClientQuotaFilterComponent.ofEntityType("user"))));
    filters.put("the default user", ClientQuotaFilter.contains(List.of(ClientQuotaFilterComponent.ofDefaultEntity("user"))));
    filters.put("one user", ClientQuotaFilter.contains(List.of(ClientQuotaFilterComponent.ofEntity("user", "x"))));
    filters.put("one user only", ClientQuotaFilter.containsOnly(List.of(ClientQuotaFilterComponent.ofEntity("user", "x"))));
    filters.put("clients of a user", ClientQuotaFilter.contains(List.of(ClientQuotaFilterComponent.ofEntity("user", "x"),
      ClientQuotaFilterComponent.ofEntityType("client-id"))));
    filters.put("addresses", ClientQuotaFilter.contains(List.of(ClientQuotaFilterComponent.ofEntityType("ip"))));
    filters.put("an address and a user", ClientQuotaFilter.contains(List.of(ClientQuotaFilterComponent.ofEntityType("ip"),
      ClientQuotaFilterComponent.ofEntityType("user"))));
    filters.put("a user twice", ClientQuotaFilter.contains(List.of(ClientQuotaFilterComponent.ofEntityType("user"),
      ClientQuotaFilterComponent.ofEntityType("user"))));
    filters.put("an unknown kind", ClientQuotaFilter.contains(List.of(ClientQuotaFilterComponent.ofEntityType("planet"))));
    filters.put("no kind", ClientQuotaFilter.contains(List.of(ClientQuotaFilterComponent.ofEntityType(""))));
    filters.put("nothing only", ClientQuotaFilter.containsOnly(List.of()));
    filters.forEach((name, filter) -> report.call("describeClientQuotas: " + name, () ->
      report.admin.describeClientQuotas(filter, new DescribeClientQuotasOptions())));
    report.call("alterClientQuotas: removed", () ->
      alter(report, false, entity("user", "x"), new ClientQuotaAlteration.Op("producer_byte_rate", null)));
    report.call("describeClientQuotas: after the removal", () -> report.admin.describeClientQuotas(ClientQuotaFilter.all()));
  }
}
