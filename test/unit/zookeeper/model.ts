import { Code } from '../../../zookeeper/protocol'

/** A node as the model keeps it: what a client sees, and nothing that helps to be fast. */
export interface ModelNode {
  data: string
  czxid: number
  mzxid: number
  pzxid: number
  version: number
  creations: number
  owner: bigint
}

export type ModelOp =
  | { kind: 'create'; path: string; data: string; ephemeral: boolean; sequential: boolean }
  | { kind: 'delete'; path: string; version: number }
  | { kind: 'set'; path: string; data: string; version: number }
  | { kind: 'check'; path: string; version: number }
  | { kind: 'multi'; ops: ModelOp[] }

/** What ZooKeeper promises, written down as simply as possible: whole copies instead of cleverness. */
export class Model {
  zxid: number
  nodes: Map<string, ModelNode>

  constructor(zxid = 0, nodes = new Map<string, ModelNode>()) {
    this.zxid = zxid
    this.nodes = nodes
  }

  copy(): Model {
    return new Model(this.zxid, new Map([...this.nodes].map(([path, node]) => [path, { ...node }])))
  }

  /** Does the op with a zxid of its own; returns its code, for a multi one per op. */
  run(op: ModelOp, session: bigint): number[] {
    this.zxid++
    if (op.kind !== 'multi') return [this.one(op, session)]
    const attempt = this.copy()
    for (let i = 0; i < op.ops.length; i++) {
      const code = attempt.one(op.ops[i]!, session)
      if (code !== Code.OK)
        return op.ops.map((_, index) => (index < i ? Code.OK : index === i ? code : Code.RUNTIMEINCONSISTENCY))
    }
    this.nodes = attempt.nodes
    return op.ops.map(() => Code.OK)
  }

  endSession(session: bigint): void {
    this.zxid++
    for (const [path, node] of [...this.nodes]) if (node.owner === session) this.remove(path)
  }

  openSession(): void {
    this.zxid++
  }

  childrenOf(path: string): string[] {
    const prefix = `${path}/`
    return [...this.nodes.keys()].filter((other) => other.startsWith(prefix) && !other.includes('/', prefix.length))
  }

  /** One line per node, in the form that `describe` in the tests reads from a server. */
  lines(): string[] {
    return [...this.nodes]
      .map(([path, { data, czxid, mzxid, pzxid, version, creations, owner }]) => {
        const children = this.childrenOf(path).length
        const cversion = creations * 2 - children
        return `${path} ${data} c=${czxid} m=${mzxid} p=${pzxid} v=${version} cv=${cversion} owner=${owner} children=${children}`
      })
      .sort()
  }

  private one(op: ModelOp, session: bigint): number {
    switch (op.kind) {
      case 'create': {
        const parentPath = op.path.slice(0, op.path.lastIndexOf('/'))
        const parent = this.nodes.get(parentPath)
        if (parent === undefined) return Code.NONODE
        const path = op.sequential ? op.path + String(parent.creations).padStart(10, '0') : op.path
        if (this.nodes.has(path)) return Code.NODEEXISTS
        if (parent.owner !== 0n) return Code.NOCHILDRENFOREPHEMERALS
        parent.creations++
        parent.pzxid = this.zxid
        const { zxid } = this
        this.nodes.set(path, {
          data: op.data,
          czxid: zxid,
          mzxid: zxid,
          pzxid: zxid,
          version: 0,
          creations: 0,
          owner: op.ephemeral ? session : 0n,
        })
        return Code.OK
      }
      case 'delete': {
        const node = this.nodes.get(op.path)
        if (node === undefined) return Code.NONODE
        if (op.version !== -1 && op.version !== node.version) return Code.BADVERSION
        if (this.childrenOf(op.path).length > 0) return Code.NOTEMPTY
        this.remove(op.path)
        return Code.OK
      }
      case 'set': {
        const node = this.nodes.get(op.path)
        if (node === undefined) return Code.NONODE
        if (op.version !== -1 && op.version !== node.version) return Code.BADVERSION
        node.data = op.data
        node.version++
        node.mzxid = this.zxid
        return Code.OK
      }
      case 'check': {
        const node = this.nodes.get(op.path)
        if (node === undefined) return Code.NONODE
        return op.version !== -1 && op.version !== node.version ? Code.BADVERSION : Code.OK
      }
      case 'multi':
        throw new Error('a multi in a multi')
    }
  }

  private remove(path: string): void {
    this.nodes.delete(path)
    const parent = this.nodes.get(path.slice(0, path.lastIndexOf('/')))
    if (parent !== undefined) parent.pzxid = this.zxid
  }
}
