import { ACL_PATH, EXTENDED_ACL_PATH } from './acls'
import { ADMIN_PATH, DELETE_TOPICS_PATH } from './admin'
import { BROKER_IDS_PATH, BROKER_SEQUENCE_ID_PATH, BROKERS_PATH } from './brokers'
import { CLUSTER_PATH, FEATURE_PATH, MIGRATION_PATH, PRODUCER_ID_BLOCK_PATH } from './cluster'
import { CONFIG_PATH, configTypePath, configTypes } from './configs'
import { CONSUMERS_PATH } from './consumers'
import { CONTROLLER_EPOCH_PATH, CONTROLLER_PATH } from './controller'
import { DELEGATION_TOKENS_PATH } from './delegation-tokens'
import { aclChanges, configChanges, extendedAclChanges, isrChanges, logDirEvents } from './notifications'
import { TOPICS_PATH } from './topics'

/** What every broker creates at its start, with null data, where it is missing. */
export const persistentPaths: readonly string[] = [
  CONSUMERS_PATH,
  BROKER_IDS_PATH,
  TOPICS_PATH,
  configChanges.path,
  DELETE_TOPICS_PATH,
  BROKER_SEQUENCE_ID_PATH,
  isrChanges.path,
  PRODUCER_ID_BLOCK_PATH,
  logDirEvents.path,
  ...configTypes.map(configTypePath),
]

/** The roots that kafka's zookeeper-security-migration tool rewrites. */
export const securePaths: readonly string[] = [
  ADMIN_PATH,
  BROKERS_PATH,
  CLUSTER_PATH,
  CONFIG_PATH,
  CONTROLLER_PATH,
  CONTROLLER_EPOCH_PATH,
  isrChanges.path,
  PRODUCER_ID_BLOCK_PATH,
  logDirEvents.path,
  '/delegation_token',
  EXTENDED_ACL_PATH,
  MIGRATION_PATH,
  FEATURE_PATH,
  ACL_PATH,
  aclChanges.path,
  extendedAclChanges.path,
]

/** Not for the world to read, when zookeeper.set.acl is on. */
const sensitivePaths: readonly string[] = [configTypePath('users'), configTypePath('brokers'), DELEGATION_TOKENS_PATH]

export interface ZnodeAcl {
  perms: number
  scheme: string
  id: string
}

const everybody: readonly ZnodeAcl[] = [{ perms: 31, scheme: 'world', id: 'anyone' }]
const creator: readonly ZnodeAcl[] = [{ perms: 31, scheme: 'auth', id: '' }]
const creatorAndReaders: readonly ZnodeAcl[] = [...creator, { perms: 1, scheme: 'world', id: 'anyone' }]

/** The ACL of a new node at `path`; `secure` is zookeeper.set.acl. Old consumers write below /consumers, so it stays open. */
export function defaultAcl(path: string, secure: boolean): readonly ZnodeAcl[] {
  if (!secure || path === CONSUMERS_PATH) return everybody
  return sensitivePaths.some((prefix) => path.startsWith(prefix)) ? creator : creatorAndReaders
}
