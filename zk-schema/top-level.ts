import { aclRootPath, extendedAclRootPath } from './acls'
import { adminPath, deleteTopicsPath } from './admin'
import { brokerIdsPath, brokerSequenceIdPath, brokersPath } from './brokers'
import { clusterPath, featurePath, migrationPath, producerIdBlockPath } from './cluster'
import { configRootPath, configTypePath, configTypes } from './configs'
import { consumersPath } from './consumers'
import { controllerEpochPath, controllerPath } from './controller'
import { delegationTokensPath } from './delegation-tokens'
import { aclChanges, configChanges, extendedAclChanges, isrChanges, logDirEvents } from './notifications'
import { topicsPath } from './topics'

/** What every broker creates at its start, with null data, where it is missing. */
export const persistentPaths: readonly string[] = [
  consumersPath,
  brokerIdsPath,
  topicsPath,
  configChanges.path,
  deleteTopicsPath,
  brokerSequenceIdPath,
  isrChanges.path,
  producerIdBlockPath,
  logDirEvents.path,
  ...configTypes.map(configTypePath),
]

/** The roots that kafka's zookeeper-security-migration tool rewrites. */
export const securePaths: readonly string[] = [
  adminPath,
  brokersPath,
  clusterPath,
  configRootPath,
  controllerPath,
  controllerEpochPath,
  isrChanges.path,
  producerIdBlockPath,
  logDirEvents.path,
  '/delegation_token',
  extendedAclRootPath,
  migrationPath,
  featurePath,
  aclRootPath,
  aclChanges.path,
  extendedAclChanges.path,
]

/** Not for the world to read, when zookeeper.set.acl is on. */
const sensitivePaths: readonly string[] = [configTypePath('users'), configTypePath('brokers'), delegationTokensPath]

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
  if (!secure || path === consumersPath) return everybody
  return sensitivePaths.some((prefix) => path.startsWith(prefix)) ? creator : creatorAndReaders
}
