import { ApiKey } from '../../protocol/messages/apis'
import { ErrorCode, ProtocolError } from '../../protocol/errors'
import { NetworkError } from '../../network/kafka-connection'
import { Admin } from '../admin'
import { byTopic, partitionKey } from '../leaders'
import type { AlterClientQuotasResponse } from '../../protocol/messages/alter-client-quotas'
import type { AlterConfigsResponse } from '../../protocol/messages/alter-configs'
import type { AlterPartitionReassignmentsResponse } from '../../protocol/messages/alter-partition-reassignments'
import type { AlterUserScramCredentialsResponse } from '../../protocol/messages/alter-user-scram-credentials'
import type { DescribeClientQuotasResponse } from '../../protocol/messages/describe-client-quotas'
import type { DescribeUserScramCredentialsResponse } from '../../protocol/messages/describe-user-scram-credentials'
import type { TopicPartition } from '../leaders'
import type { UpdateFeaturesResponse } from '../../protocol/messages/update-features'

/** `user`, `client-id` or `ip` to a name; null: the default of that kind. */
export type QuotaEntity = ReadonlyMap<string, string | null>

export interface QuotaFilterComponent {
  entityType: string
  /** undefined: any entity of that type; null: the default one. */
  match: string | null | undefined
}

export const ScramMechanism = { 'SCRAM-SHA-256': 1, 'SCRAM-SHA-512': 2 } as const
export type ScramMechanismName = keyof typeof ScramMechanism

export interface ScramUpsertion {
  mechanism: ScramMechanismName
  iterations: number
  salt: Buffer
  saltedPassword: Buffer
}

const EXACT = 0
const DEFAULT = 1
const ANY = 2
const UPGRADE = 1

function thrown(code: number, message: string | null): ProtocolError {
  return new ProtocolError(code, message ?? undefined)
}

/** What a cluster is maintained with beside the everyday things: whole configurations, quotas, credentials, features. */
export class MaintenanceAdmin extends Admin {
  /** Replaces everything that a resource sets. */
  async alterConfigs(
    resourceType: number,
    resourceName: string,
    configs: Readonly<Record<string, string | null>>,
  ): Promise<void> {
    const response = await this.toResourceOwner<AlterConfigsResponse>(
      'altering configurations',
      ApiKey.alterConfigs,
      { resourceType, resourceName },
      {
        resources: [{ resourceType, resourceName, configs: Object.entries(configs).map(([name, value]) => ({ name, value })) }],
        validateOnly: false,
      },
    )
    for (const each of response.responses) if (each.errorCode !== 0) throw thrown(each.errorCode, each.errorMessage)
  }

  /** Starts moves of replicas, or with null cancels them; gives the errors, keyed `topic-partition`. */
  async reassign(
    wanted: readonly (TopicPartition & { replicas: readonly number[] | null })[],
  ): Promise<Map<string, ProtocolError>> {
    const response = await this.toController<AlterPartitionReassignmentsResponse>(
      'reassigning partitions',
      ApiKey.alterPartitionReassignments,
      {
        timeoutMs: this.cluster.settings.requestTimeoutMs,
        topics: byTopic(wanted).map(({ topic, partitions }) => ({
          name: topic,
          partitions: partitions.map(({ partition, replicas }) => ({ partitionIndex: partition, replicas })),
        })),
      },
      ({ errorCode }) => [errorCode],
    )
    if (response.errorCode !== 0) throw thrown(response.errorCode, response.errorMessage)
    const errors = new Map<string, ProtocolError>()
    for (const { name, partitions } of response.responses) {
      for (const { partitionIndex, errorCode, errorMessage } of partitions) {
        if (errorCode !== 0) errors.set(partitionKey(name, partitionIndex), thrown(errorCode, errorMessage))
      }
    }
    return errors
  }

  /** Quotas of the entities that have just these components. */
  async describeClientQuotas(
    components: readonly QuotaFilterComponent[],
  ): Promise<{ entity: QuotaEntity; values: Map<string, number> }[]> {
    const response = await this.cluster.retrying('describing quotas', () =>
      this.cluster.sendToAny<DescribeClientQuotasResponse>(ApiKey.describeClientQuotas, {
        components: components.map(({ entityType, match }) => ({
          entityType,
          matchType: match === undefined ? ANY : match === null ? DEFAULT : EXACT,
          match: match ?? null,
        })),
        strict: true,
      }),
    )
    if (response.errorCode !== 0) throw thrown(response.errorCode, response.errorMessage)
    return (response.entries ?? []).map(({ entity, values }) => ({
      entity: new Map(entity.map(({ entityType, entityName }) => [entityType, entityName])),
      values: new Map(values.map(({ key, value }) => [key, value])),
    }))
  }

  /** Sets quotas of one entity; undefined removes one. */
  async alterClientQuotas(entity: QuotaEntity, changes: ReadonlyMap<string, number | undefined>): Promise<void> {
    const response = await this.cluster.retrying('altering quotas', () =>
      this.cluster.sendToAny<AlterClientQuotasResponse>(ApiKey.alterClientQuotas, {
        entries: [
          {
            entity: [...entity].map(([entityType, entityName]) => ({ entityType, entityName })),
            ops: [...changes].map(([key, value]) => ({ key, value: value ?? 0, remove: value === undefined })),
          },
        ],
        validateOnly: false,
      }),
    )
    for (const each of response.entries) if (each.errorCode !== 0) throw thrown(each.errorCode, each.errorMessage)
  }

  /** Per user the mechanisms and iterations, or an error; all users where none is named. */
  async describeUserScramCredentials(
    users: readonly string[],
  ): Promise<{ user: string; credentials: { mechanism: number; iterations: number }[]; error: ProtocolError | undefined }[]> {
    const response = await this.cluster.retrying('describing credentials', () =>
      this.cluster.sendToAny<DescribeUserScramCredentialsResponse>(ApiKey.describeUserScramCredentials, {
        users: users.length === 0 ? null : users.map((name) => ({ name })),
      }),
    )
    if (response.errorCode !== 0) throw thrown(response.errorCode, response.errorMessage)
    return response.results
      .filter(({ errorCode }) => errorCode !== ErrorCode.RESOURCE_NOT_FOUND)
      .map(({ user, errorCode, errorMessage, credentialInfos }) => ({
        user,
        credentials: credentialInfos,
        error: errorCode === 0 ? undefined : thrown(errorCode, errorMessage),
      }))
  }

  async alterUserScramCredentials(
    user: string,
    upsertions: readonly ScramUpsertion[],
    deletions: readonly ScramMechanismName[],
  ): Promise<void> {
    const response = await this.toController<AlterUserScramCredentialsResponse>(
      'altering credentials',
      ApiKey.alterUserScramCredentials,
      {
        deletions: deletions.map((mechanism) => ({ name: user, mechanism: ScramMechanism[mechanism] })),
        upsertions: upsertions.map(({ mechanism, ...rest }) => ({ name: user, mechanism: ScramMechanism[mechanism], ...rest })),
      },
      ({ results }) => results.map(({ errorCode }) => errorCode),
    )
    for (const each of response.results) if (each.errorCode !== 0) throw thrown(each.errorCode, each.errorMessage)
  }

  /** Per feature undefined or its error. `upgradeType`: 1 up, 2 safely down, 3 down whatever comes. */
  async updateFeatures(
    updates: readonly { feature: string; level: number; upgradeType: number }[],
    validateOnly: boolean,
  ): Promise<Map<string, ProtocolError | undefined>> {
    const response = await this.toController<UpdateFeaturesResponse>(
      'updating features',
      ApiKey.updateFeatures,
      (version: number) => ({
        timeoutMs: this.cluster.settings.requestTimeoutMs,
        featureUpdates: updates.map(({ feature, level, upgradeType }) => ({
          feature,
          maxVersionLevel: level,
          ...(version >= 1 ? { upgradeType } : { allowDowngrade: upgradeType !== UPGRADE }),
        })),
        ...(version >= 1 ? { validateOnly } : {}),
      }),
      ({ errorCode }) => [errorCode],
    )
    const whole = response.errorCode === 0 ? undefined : thrown(response.errorCode, response.errorMessage)
    const errors = new Map<string, ProtocolError | undefined>(updates.map(({ feature }) => [feature, whole]))
    for (const { feature, errorCode, errorMessage } of response.results) {
      errors.set(feature, errorCode === 0 ? undefined : thrown(errorCode, errorMessage))
    }
    return errors
  }
}

/** The other side does not speak that API. */
export function isUnsupported(error: unknown): boolean {
  return error instanceof NetworkError && error.code === 'UNSUPPORTED_VERSION'
}
