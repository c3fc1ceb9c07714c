import { decodeJson, encodeJson } from './znode-json'

export const aclRootPath = '/kafka-acl'
export const extendedAclRootPath = '/kafka-acl-extended'

/** Kafka's names, as they stand in paths. */
export const aclResourceTypes = ['Topic', 'Group', 'Cluster', 'TransactionalId', 'DelegationToken', 'User'] as const
export type AclResourceType = (typeof aclResourceTypes)[number]

export type AclPatternType = 'LITERAL' | 'PREFIXED'

export interface AclEntry {
  /** `User:alice`. */
  principal: string
  /** Allow or Deny. */
  permissionType: string
  /** Read, Write, Create ... */
  operation: string
  /** `*` for all. */
  host: string
}

export function aclResourceTypePath(patternType: AclPatternType, resourceType: AclResourceType): string {
  const root = patternType === 'LITERAL' ? aclRootPath : `${extendedAclRootPath}/${patternType.toLowerCase()}`
  return `${root}/${resourceType}`
}

export function aclPath(patternType: AclPatternType, resourceType: AclResourceType, name: string): string {
  return `${aclResourceTypePath(patternType, resourceType)}/${name}`
}

export function encodeAcls(acls: readonly AclEntry[]): Buffer {
  return encodeJson({
    version: 1,
    acls: acls.map(({ principal, permissionType, operation, host }) => ({ principal, permissionType, operation, host })),
  })
}

/** No data are no ACLs. Throws ZnodeFormatError. */
export function decodeAcls(path: string, data: Buffer | null): AclEntry[] {
  if (data === null || data.length === 0) return []
  const json = decodeJson(path, data)
  if (json.int('version') !== 1) throw json.complaint('version', '1')
  return json.objects('acls').map((item) => ({
    principal: item.string('principal'),
    permissionType: item.string('permissionType'),
    operation: item.string('operation'),
    host: item.string('host'),
  }))
}
