/** Why the data directory cannot be used; the message is one sentence for whoever started the server. */
export class StorageError extends Error {
  override readonly name = 'StorageError'
  readonly code = 'ZOOKEEPER_STORAGE'
}

/** `log.1f` is zxid 31 to `prefix` log; undefined for other names. */
export function zxidOfName(name: string, prefix: string): number | undefined {
  const match = /^([a-z]+)\.([0-9a-f]{1,16})$/.exec(name)
  if (match === null || match[1] !== prefix) return undefined
  const zxid = parseInt(match[2]!, 16)
  return Number.isSafeInteger(zxid) ? zxid : undefined
}
