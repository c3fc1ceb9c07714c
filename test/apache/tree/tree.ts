import type { MixedCluster } from '../mixed-cluster'
import type { ZooKeeperSession } from '../../../zk-schema/session/session'

/** What belongs to ZooKeeper, and what only prekraft has (docs/differences.md). */
const LEFT_OUT = ['/zookeeper', '/prekraft']

type RawTree = Map<string, { data: Buffer | null; isEphemeral: boolean }>

/** Path -> content of every znode, and whether it ends with a session, without what two clusters cannot have in common: ids, ports, times, epochs. */
export async function treeOf(cluster: MixedCluster): Promise<Map<string, string>> {
  return await cluster.zookeeper(async (session) => {
    const raw: RawTree = new Map()
    await collect(session, '/', raw)
    return normalized(raw, cluster)
  })
}

async function collect(session: ZooKeeperSession, path: string, into: RawTree): Promise<void> {
  if (LEFT_OUT.some((prefix) => path === prefix || path.startsWith(`${prefix}/`))) return
  const [node, children] = await Promise.all([session.get(path), session.children(path)])
  if (node === undefined || children === undefined) return
  into.set(path, { data: node.data, isEphemeral: node.stat.ephemeralOwner !== 0n })
  for (const name of children.names.sort()) await collect(session, path === '/' ? `/${name}` : `${path}/${name}`, into)
}

function normalized(raw: RawTree, cluster: MixedCluster): Map<string, string> {
  const ids = new Map<string, string>()
  for (const [path, { data }] of raw) {
    const topic = /^\/brokers\/topics\/([^/]+)$/.exec(path)?.[1]
    const id = topic === undefined ? undefined : /"topic_id":"([^"]{22})"/.exec(data?.toString() ?? '')?.[1]
    if (id !== undefined) ids.set(id, topic!)
  }
  const ports = cluster.brokerIds.map((id) => String(cluster.port(id)))
  const tree = new Map<string, string>()
  const counts = new Map<string, number>()
  for (const [path, { data, isEphemeral }] of raw) {
    let text = data === null ? '<null>' : data.toString('latin1')
    for (const [id, topic] of ids) text = text.replaceAll(id, `<id of ${topic}>`)
    for (const [i, port] of ports.entries()) text = text.replaceAll(port, `<port ${i}>`)
    text = text
      .replace(/"timestamp":"?\d+"?/g, (found) => found.replace(/\d+/, '<time>'))
      .replace(/"(controller_epoch|kraftMetadataVersion|leader_epoch|version)":(-?\d+)/g, (all, key: string) => (key === 'controller_epoch' ? `"${key}":<epoch>` : all))
    if (path.startsWith('/config/')) text = withSortedConfig(text)
    // Whoever is the faster.
    if (path === '/controller') text = text.replace(/"brokerid":\d+/, '"brokerid":<id>')
    if (path === '/controller_epoch') text = '<epoch>'
    if (path === '/cluster/id') text = text.replace(/"id":"[^"]{22}"/, '"id":"<id>"')
    // The first, the second ... of its kind: the numbers depend on what else the parent has had.
    const place = path.replace(/\d{10}$/, (_) => {
      const kind = path.slice(0, -10)
      counts.set(kind, (counts.get(kind) ?? 0) + 1)
      return `<${counts.get(kind)}>`
    })
    tree.set(place, isEphemeral ? `${text} (ephemeral)` : text)
  }
  return tree
}

/** Kafka writes the keys in the order of a Java hash map. */
function withSortedConfig(text: string): string {
  try {
    const node = JSON.parse(text) as { config?: Record<string, string> }
    return node.config === undefined ? text : JSON.stringify({ ...node, config: Object.fromEntries(Object.entries(node.config).sort()) })
  } catch {
    return text
  }
}

/** What one tree has and the other has not, line by line. */
export function compareTrees(apache: Map<string, string>, ours: Map<string, string>): string[] {
  const paths = [...new Set([...apache.keys(), ...ours.keys()])].sort()
  return paths.flatMap((path) => {
    const [left, right] = [apache.get(path), ours.get(path)]
    return left === right ? [] : [`${path}\n        Apache   ${left ?? '(no node)'}\n        prekraft ${right ?? '(no node)'}`]
  })
}
