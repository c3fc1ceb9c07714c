/**
 * Kafka prints and writes some things in the order of a hash map. Where the bytes are to be the same, so is the order.
 */

/** Java's `String.hashCode()`: over UTF-16 code units, in 32 bits. */
export function javaStringHash(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash
}

/** Of a `TopicPartition`. */
export function topicPartitionHash(topic: string, partition: number): number {
  return (Math.imul(31, 31 + partition) + javaStringHash(topic)) | 0
}

const FEWEST_BUCKETS = 16
const LOAD = 0.75
/** Set1 to Set4 are no hash sets. */
const LARGEST_SMALL_SET = 4

/** As HashMaps of both languages improve what a class gives. */
function spread(hash: number): number {
  return hash ^ (hash >>> 16)
}

/** Java's `Long.hashCode()` of a number that is not negative. */
function longHash(value: number): number {
  return (value | 0) ^ Math.floor(value / 0x1_0000_0000)
}

/** The values, in the order of a `java.util.HashMap` that has not shrunk: by bucket, in a bucket as they came. */
export function inJavaOrder<T>(items: ReadonlyMap<number, T>): T[] {
  const count = items.size
  let buckets = FEWEST_BUCKETS
  while (count > buckets * LOAD) buckets *= 2
  // By counting: there may be very many.
  const bucketOf = new Int32Array(count)
  const ends = new Int32Array(buckets + 1)
  let i = 0
  for (const key of items.keys()) {
    const bucket = spread(longHash(key)) & (buckets - 1)
    bucketOf[i++] = bucket
    ends[bucket + 1]!++
  }
  for (let bucket = 0; bucket < buckets; bucket++) ends[bucket + 1]! += ends[bucket]!
  const sorted = new Array<T>(count)
  i = 0
  for (const item of items.values()) sorted[ends[bucketOf[i++]!]!++] = item
  return sorted
}

/** Of a `scala.collection.mutable.HashMap`: `inserts` counts those, too, that find the key there. */
export function bucketsOfMap(inserts: number): number {
  let buckets = FEWEST_BUCKETS
  while (inserts >= buckets * LOAD) buckets *= 2
  return buckets
}

/** Of a `scala.collection.mutable.HashSet` to which immutable sets of these sizes, without common elements, were added. */
export function bucketsOfSet(sizes: Iterable<number>): number {
  let buckets = FEWEST_BUCKETS
  let content = 0
  for (const size of sizes) {
    // A hint makes room; beyond that the set grows with small ones only, which are added one by one.
    const wanted = Math.floor((size + 1) / LOAD)
    while (buckets < wanted) buckets *= 2
    while (size <= LARGEST_SMALL_SET && content + size >= buckets * LOAD) buckets *= 2
    content += size
  }
  return buckets
}

/** In the order of a Scala HashMap or HashSet: by bucket, in a bucket by hash. */
export function inScalaOrder<T>(items: readonly T[], hashOf: (item: T) => number, buckets: number): T[] {
  const byHash = sortedBy(items, (item) => spread(hashOf(item)))
  return sortedBy(byHash, (item) => spread(hashOf(item)) & (buckets - 1))
}

function sortedBy<T>(items: readonly T[], keyOf: (item: T) => number): T[] {
  const keyed = items.map((item) => ({ key: keyOf(item), item }))
  // Stable.
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item)
}
