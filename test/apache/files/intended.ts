import { kindOf } from './compare'

/** One file as different recoveries leave it; undefined where it is not there. */
export interface Versions {
  apache: Buffer | undefined
  ours: Buffer | undefined
  /** Before the damage. */
  before: Buffer | undefined
  /** As Apache builds it from nothing but the segments. */
  rebuilt: Buffer | undefined
}

interface Intended {
  /** In which case, by the end of its name. */
  when: RegExp
  kinds: readonly string[]
  path?: RegExp
  isSo(versions: Versions): boolean
  /** As docs/differences.md has it. */
  why: string
}

/** Their segments are made anew by the cleaner, and what was aborted is gone: an index that is built anew is not what it was. */
export const COMPACTED = /^(table|__consumer_offsets|__transaction_state)-\d+\//
const EMPTY_SNAPSHOT_BYTES = 10
const ABORTED_BYTES = 34

const sizeOf = (file: Buffer | undefined): number => file?.length ?? -1
const areEqual = (one: Buffer | undefined, other: Buffer | undefined): boolean =>
  one !== undefined && other !== undefined && one.equals(other)
const isBefore = ({ ours, before }: Versions): boolean => areEqual(ours, before)
/** A restart, and a cleaning, set the count of bytes between two entries back: an index that is built anew may be another. */
const isWhole = (versions: Versions): boolean => isBefore(versions) || areEqual(versions.ours, versions.rebuilt)

/** Aborted transactions, whichever: markers of those whose records are gone may be there, or what snapshots tell of them. */
const hasAborted = (file: Buffer | undefined): boolean => file === undefined || file.length % ABORTED_BYTES === 0
/** What `cut` leaves of a file (damages.ts): nobody has used it since. */
const isLeft = ({ ours, before }: Versions): boolean =>
  ours !== undefined && before !== undefined && areEqual(ours, before.subarray(0, Math.floor(before.length / 2) + 1))

/** Where our recovery is not Apache's, on purpose. */
const intended: readonly Intended[] = [
  {
    when: /kill -9$/,
    kinds: ['leader-epoch-checkpoint'],
    path: /^trimmed-/,
    isSo: ({ apache, ours }) => sizeOf(ours) >= sizeOf(apache),
    why: 'deleted records that are there again have their epochs',
  },
  {
    when: /without \.index$/,
    kinds: ['.snapshot'],
    isSo: isBefore,
    why: 'snapshots are kept',
  },
  {
    when: /without \.index$/,
    kinds: ['.txnindex'],
    path: COMPACTED,
    isSo: ({ ours }) => hasAborted(ours),
    why: 'snapshots are kept, and tell of transactions whose records are gone',
  },
  {
    when: /without \.timeindex$/,
    kinds: ['.timeindex'],
    isSo: (versions) => sizeOf(versions.apache) === 0 && sizeOf(versions.ours) > 0 && isWhole(versions),
    why: 'a lost time index is built anew, not begun empty',
  },
  {
    when: /without \.timeindex$/,
    kinds: ['.index', '.txnindex'],
    isSo: (versions) => areEqual(versions.apache, versions.before) && areEqual(versions.ours, versions.rebuilt),
    why: 'built anew together with the time index',
  },
  {
    when: /without \.timeindex$/,
    kinds: ['.txnindex'],
    path: COMPACTED,
    isSo: (versions) => areEqual(versions.apache, versions.before) && hasAborted(versions.ours),
    why: 'built anew together with the time index',
  },
  {
    when: /clean stop, without \.snapshot$/,
    kinds: ['.snapshot'],
    isSo: ({ apache, ours, rebuilt }) => sizeOf(apache) === EMPTY_SNAPSHOT_BYTES && areEqual(ours, rebuilt),
    why: 'producers are found again in the records',
  },
  {
    when: /clean stop, without \.snapshot$/,
    kinds: ['.snapshot'],
    path: /^trimmed-/,
    // Those of deleted records are not among them.
    isSo: ({ apache, ours, rebuilt }) =>
      sizeOf(apache) === EMPTY_SNAPSHOT_BYTES && sizeOf(ours) > EMPTY_SNAPSHOT_BYTES && sizeOf(ours) <= sizeOf(rebuilt),
    why: 'producers are found again in the records',
  },
  {
    when: /clean stop, without \.snapshot$/,
    kinds: ['.snapshot'],
    path: /^trimmed-/,
    isSo: ({ apache, ours }) => sizeOf(apache) === EMPTY_SNAPSHOT_BYTES && ours === undefined,
    why: 'of deleted records',
  },
  {
    when: /truncated indexes$/,
    kinds: ['.index', '.timeindex', '.txnindex'],
    isSo: (versions) => sizeOf(versions.apache) < sizeOf(versions.before) && (isWhole(versions) || isLeft(versions)),
    why: 'Apache goes on with what is left; here built anew, that of an old segment when it is used',
  },
  {
    when: /truncated indexes$/,
    kinds: ['.txnindex'],
    path: COMPACTED,
    // The markers of transactions are there whose records are gone.
    isSo: ({ apache, ours, before }) => sizeOf(apache) < sizeOf(before) && hasAborted(ours),
    why: 'Apache goes on with what is left; here built anew, that of an old segment when it is used',
  },
  {
    when: /of zeros$/,
    kinds: ['.index', '.timeindex'],
    isSo: (versions) => versions.apache?.every((byte) => byte === 0) === true && isWhole(versions),
    why: 'Apache goes on with zeros; here built anew, that of an old segment when it is used',
  },
]

/** Why a file may differ, undefined if it may not. */
export function reasonFor(name: string, path: string, versions: Versions): string | undefined {
  return intended.find(
    (each) => each.when.test(name) && each.kinds.includes(kindOf(path)) && each.path?.test(path) !== false && each.isSo(versions),
  )?.why
}
