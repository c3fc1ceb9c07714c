import fc from 'fast-check'
import { World } from '../../simulation/world/world'
import type { JuteReader, JuteWriter } from '../../../zookeeper/jute'
import { OpCode } from '../../../zookeeper/protocol'
import { startZooKeeperServer } from '../../../zookeeper/server'
import type { RunningZooKeeperServer } from '../../../zookeeper/server'
import { OPEN, writeAclSpec } from '../../zookeeper/transcript'
import { Model } from './model'
import type { ModelOp } from './model'
import { SimulatedClient } from './simulated-client'
import type { SimulatedReply } from './simulated-client'

const ROOT = '/t'
const LIMIT_MS = 60_000

function opBody(op: ModelOp): { type: number; body: (writer: JuteWriter) => void } {
  switch (op.kind) {
    case 'create':
      return {
        type: OpCode.create,
        body(writer) {
          writer.writeString(op.path)
          writer.writeBuffer(Buffer.from(op.data))
          writeAclSpec(writer, OPEN)
          writer.writeInt((op.ephemeral ? 1 : 0) + (op.sequential ? 2 : 0))
        },
      }
    case 'set':
      return {
        type: OpCode.setData,
        body(writer) {
          writer.writeString(op.path)
          writer.writeBuffer(Buffer.from(op.data))
          writer.writeInt(op.version)
        },
      }
    case 'delete':
    case 'check':
      return {
        type: op.kind === 'delete' ? OpCode.delete : OpCode.check,
        body(writer) {
          writer.writeString(op.path)
          writer.writeInt(op.version)
        },
      }
    case 'multi':
      return {
        type: OpCode.multi,
        body(writer) {
          for (const one of op.ops) {
            const { type, body } = opBody(one)
            writer.writeInt(type)
            writer.writeBool(false)
            writer.writeInt(-1)
            body(writer)
          }
          writer.writeInt(-1)
          writer.writeBool(true)
          writer.writeInt(-1)
        },
      }
  }
}

function multiCodes(reader: JuteReader): number[] {
  const codes: number[] = []
  for (;;) {
    const [type, done, error] = [reader.readInt(), reader.readBool(), reader.readInt()]
    if (done) return codes
    codes.push(error)
    if (type === OpCode.error) reader.readInt()
    if (type === OpCode.create) reader.readString()
    if (type === OpCode.setData) for (let i = 0; i < 17; i++) reader.readInt()
  }
}

/** The whole tree below ROOT, as the model prints it. */
async function describeTree(client: SimulatedClient): Promise<string[]> {
  const lines: string[] = []
  const waiting = [ROOT]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const asked = path
    const ask = (type: number): Promise<SimulatedReply | undefined> =>
      client.request(type, (writer) => {
        writer.writeString(asked)
        writer.writeBool(false)
      })
    const reply = await ask(OpCode.getData)
    if (reply === undefined || reply.code !== 0) continue
    const { body } = reply
    const data = body.readBuffer()!.toString()
    const [czxid, mzxid] = [body.readLong(), body.readLong()]
    body.readLong()
    body.readLong()
    const [version, cversion] = [body.readInt(), body.readInt()]
    body.readInt()
    const owner = body.readBigLong()
    body.readInt()
    const children = body.readInt()
    lines.push(
      `${path} ${data} c=${czxid} m=${mzxid} p=${body.readLong()} v=${version} cv=${cversion} ` +
        `owner=${owner} children=${children}`,
    )
    const { body: names } = (await ask(OpCode.getChildren))!
    for (const name of names.readVector(4, () => names.readText())) waiting.push(`${path}/${name}`)
  }
  return lines.sort()
}

const path = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 }).map((names) => `${ROOT}/${names.join('/')}`)
const version = fc.constantFrom(-1, -1, -1, 0, 1, 2)
const data = fc.string({ maxLength: 20, unit: 'grapheme-ascii' })
const single: fc.Arbitrary<ModelOp> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('create' as const),
      path,
      data,
      ephemeral: fc.boolean(),
      sequential: fc.constantFrom(false, false, false, true),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('set' as const), path, data, version }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), path, version }) },
)
const inMulti = fc.oneof(single, fc.record({ kind: fc.constant('check' as const), path, version }))
const anyOp: fc.Arbitrary<ModelOp> = fc.oneof(
  { weight: 4, arbitrary: single },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('multi' as const), ops: fc.array(inMulti, { maxLength: 5 }) }) },
)

/** One life of the server: what is asked of it, and how it ends. */
const life = fc.record({
  ops: fc.array(anyOp, { minLength: 1, maxLength: 60 }),
  end: fc.constantFrom('power', 'power', 'kill', 'close'),
  afterMs: fc.integer({ min: 0, max: 40 }),
})

test('every answered write survives any end of the server, and what survives is a prefix of what was asked', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 2 ** 31 }),
      fc.array(life, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 3, max: 60 }),
      async (seed, lives, snapCount) => {
        const world = new World(seed)
        const zk = world.process('zk')
        const user = world.process('user')
        const boot = async (): Promise<RunningZooKeeperServer> =>
          startZooKeeperServer(zk.env, { port: 2181, dataDir: '/data/zk', tickTimeMs: 3000, snapCount, snapRetainCount: 3 })
        let server = await world.settle(boot(), LIMIT_MS, 'the server starts')
        let client = await world.settle(SimulatedClient.open(user.env, 2181, undefined, 60_000), LIMIT_MS, 'a session opens')
        const session = { sessionId: client.sessionId, password: client.password }
        const model = new Model(1)
        const rootOp: ModelOp = { kind: 'create', path: ROOT, data: '', ephemeral: false, sequential: false }
        await world.settle(client.request(OpCode.create, opBody(rootOp).body), LIMIT_MS, 'the root is there')
        model.zxid++
        model.nodes.set(ROOT, { data: '', czxid: 2, mzxid: 2, pzxid: 2, version: 0, creations: 0, owner: 0n })
        let current = model
        for (const { ops, end, afterMs } of lives) {
          // What the tree may be: after none of the ops, after the first, and so on.
          const states = [current.copy()]
          let answered = 0
          const mismatches: string[] = []
          for (const op of ops) {
            const next = states.at(-1)!.copy()
            const codes = next.run(op, session.sessionId)
            states.push(next)
            const { type, body } = opBody(op)
            const position = states.length - 1
            void client.request(type, body).then((reply) => {
              if (reply === undefined) return
              answered = position
              const got = op.kind === 'multi' ? multiCodes(reply.body) : [reply.code]
              if (JSON.stringify(got) !== JSON.stringify(codes) || reply.zxid !== next.zxid) {
                mismatches.push(`${JSON.stringify(op)}: ${got} zxid ${reply.zxid} and not ${codes} zxid ${next.zxid}`)
              }
            })
          }
          await world.run(afterMs)
          if (end === 'power') zk.cutPower()
          else if (end === 'kill') zk.kill()
          else await world.settle(server.close(), LIMIT_MS, 'the server closes')
          const promised = answered
          await world.runUntil(() => client.isClosed, LIMIT_MS, 'the client sees the end')
          expect(mismatches).toEqual([])
          server = await world.settle(boot(), LIMIT_MS, 'the server starts again')
          client = await world.settle(SimulatedClient.open(user.env, 2181, session, 60_000), LIMIT_MS, 'the session goes on')
          expect(client.sessionId).toBe(session.sessionId)
          const lines = await world.settle(describeTree(client), LIMIT_MS, 'the tree is read')
          const reply = await world.settle(
            client.request(OpCode.sync, (writer) => writer.writeString('/')),
            LIMIT_MS,
            'a sync',
          )
          const survived = states.findIndex((state) => state.zxid === reply!.zxid)
          expect(survived).toBeGreaterThanOrEqual(promised)
          expect(lines).toEqual(states[survived]!.lines())
          current = states[survived]!
        }
        await world.settle(client.request(OpCode.closeSession), LIMIT_MS, 'the session ends')
        current.endSession(session.sessionId)
        const last = await world.settle(SimulatedClient.open(user.env, 2181), LIMIT_MS, 'another session opens')
        expect(await world.settle(describeTree(last), LIMIT_MS, 'the tree is read')).toEqual(current.lines())
        await world.settle(server.close(), LIMIT_MS, 'the server closes')
      },
    ),
    { numRuns: Number(process.env.PREKRAFT_RUNS ?? 100) },
  )
}, 600_000)
