/** Kafka's tools print some things in the order of a `java.util.HashMap`. */

/** Java's `String.hashCode()`: over UTF-16 code units, in 32 bits; 0 for null. */
export function javaHash(text: string | null): number {
  let hash = 0
  for (let i = 0; i < (text?.length ?? 0); i++) hash = (Math.imul(hash, 31) + text!.charCodeAt(i)) | 0
  return hash
}

/** Of a map of texts, whatever its order. */
export function javaMapHash(map: Iterable<readonly [string, string | null]>): number {
  let hash = 0
  for (const [key, value] of map) hash = (hash + (javaHash(key) ^ javaHash(value))) | 0
  return hash
}

/** In the order in which a map gives them to which they were added in their order, made for so many as there are. */
export function inHashMapOrder<T>(items: readonly T[], hashOf: (item: T) => number): T[] {
  let buckets = 1
  while (buckets < items.length) buckets *= 2
  while (items.length > buckets * 0.75) buckets *= 2
  const bucketOf = (item: T): number => {
    const hash = hashOf(item)
    return (hash ^ (hash >>> 16)) & (buckets - 1)
  }
  // Stable: in a bucket as they came.
  return [...items].sort((a, b) => bucketOf(a) - bucketOf(b))
}
