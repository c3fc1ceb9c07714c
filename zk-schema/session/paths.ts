/** What ZooKeeper's PathUtils refuses, char by char: controls, surrogates and private use, specials. */
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/

/** Why ZooKeeper would refuse the path; undefined if it is fine. */
export function pathFault(path: string): string | undefined {
  if (typeof path !== 'string' || path === '') return 'a path must not be empty'
  if (path[0] !== '/') return 'a path begins with /'
  if (path.length === 1) return undefined
  if (path.endsWith('/')) return 'a path must not end with /'
  if (path.includes('//')) return 'a path must not hold an empty name'
  if (/\/\.\.?(\/|$)/.test(path)) return 'a path must not hold . or ..'
  if (FORBIDDEN.test(path)) return 'a path must not hold this character'
  return undefined
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash <= 0 ? '/' : path.slice(0, slash)
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

export function childPath(parent: string, name: string): string {
  return parent === '/' ? `/${name}` : `${parent}/${name}`
}

export function withChroot(chroot: string, path: string): string {
  return chroot === '' ? path : path === '/' ? chroot : chroot + path
}

/** The path as the session's owner names it; the whole path if it lies outside the chroot. */
export function withoutChroot(chroot: string, path: string): string {
  if (chroot === '' || !path.startsWith(chroot)) return path
  return path.length === chroot.length ? '/' : path.slice(chroot.length)
}
