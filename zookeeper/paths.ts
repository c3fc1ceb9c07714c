/** Nodes that the server makes and nobody may delete. */
export const SPECIAL_PATHS: ReadonlySet<string> = new Set(['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config'])

/** The parent in the tree's own terms, where the root is the empty path; undefined for a path that has none. */
export function parentOf(path: string): string | undefined {
  const slash = path.lastIndexOf('/')
  return slash === -1 ? undefined : path.slice(0, slash)
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** What a client calls the node that the tree calls `path`. */
export function clientPath(path: string): string {
  return path === '' ? '/' : path
}

function isForbidden(unit: number): boolean {
  return unit <= 0x1f || (unit >= 0x7f && unit <= 0x9f) || (unit >= 0xd800 && unit <= 0xf8ff) || unit >= 0xfff0
}

/** PathUtils.validatePath: absolute, no empty or relative name, no trailing slash, no control or private characters. */
export function isValidPath(path: string): boolean {
  if (path === '/') return true
  if (!path.startsWith('/') || path.endsWith('/')) return false
  let start = 1
  for (let i = 1; i <= path.length; i++) {
    const unit = i < path.length ? path.charCodeAt(i) : 0x2f
    if (unit !== 0x2f) {
      if (isForbidden(unit)) return false
      continue
    }
    const length = i - start
    if (length === 0) return false
    if (path[start] === '.' && (length === 1 || (length === 2 && path[start + 1] === '.'))) return false
    start = i + 1
  }
  return true
}
