import { kindOf } from './compare'

/** One file after Apache's recovery, after ours, and before the damage; undefined where it is not there. */
export interface Three {
  apache: Buffer | undefined
  ours: Buffer | undefined
  before: Buffer | undefined
}

interface Intended {
  /** In which case, by the end of its name. */
  when: RegExp
  kinds: readonly string[]
  path?: RegExp
  isSo(three: Three): boolean
  /** As docs/differences.md has it. */
  why: string
}

/** Their segments are made anew by the cleaner, and what was aborted is gone: an index that is built anew is not what it was. */
export const COMPACTED = /^(table|__consumer_offsets|__transaction_state)-\d+\//
const EMPTY_SNAPSHOT_BYTES = 10

const sizeOf = (file: Buffer | undefined): number => file?.length ?? -1
const isBefore = ({ ours, before }: Three): boolean => ours !== undefined && before !== undefined && ours.equals(before)
const isRebuilt = ({ ours, before }: Three): boolean => sizeOf(ours) > 0 && sizeOf(before) > 0

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
    isSo: () => true,
    why: 'snapshots are kept, and tell of transactions whose records are gone',
  },
  {
    when: /without \.timeindex$/,
    kinds: ['.timeindex'],
    isSo: (three) => sizeOf(three.apache) === 0 && isRebuilt(three),
    why: 'a lost time index is built anew, not begun empty',
  },
  {
    // A restart, and a cleaning, set the count of bytes between two entries back.
    when: /without \.timeindex$/,
    kinds: ['.index', '.txnindex'],
    isSo: ({ apache, before }) => before !== undefined && apache?.equals(before) === true,
    why: 'built anew together with the time index',
  },
  {
    when: /clean stop, without \.snapshot$/,
    kinds: ['.snapshot'],
    isSo: ({ apache, ours }) => sizeOf(apache) === EMPTY_SNAPSHOT_BYTES && sizeOf(ours) > EMPTY_SNAPSHOT_BYTES,
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
    isSo: ({ apache, before }) => sizeOf(apache) < sizeOf(before),
    why: 'Apache goes on with what is left; here built anew, that of an old segment when it is used',
  },
  {
    when: /of zeros$/,
    kinds: ['.index', '.timeindex'],
    isSo: ({ apache, ours }) => apache?.every((byte) => byte === 0) === true && ours?.some((byte) => byte !== 0) === true,
    why: 'Apache goes on with zeros; here built anew, that of an old segment when it is used',
  },
]

/** Why a file may differ, undefined if it may not. */
export function reasonFor(name: string, path: string, three: Three): string | undefined {
  return intended.find(
    (each) => each.when.test(name) && each.kinds.includes(kindOf(path)) && each.path?.test(path) !== false && each.isSo(three),
  )?.why
}
