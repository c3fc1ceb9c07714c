import { World } from './world/world'
import { heal, partition } from './world/net'

/** Two processes that talk, write, sync, die and come back: the world under test is the simulator itself. */
async function story(seed: number): Promise<string> {
  const world = new World(seed)
  const server = world.process('server')
  const client = world.process('client')
  const start = async (): Promise<void> => {
    const { disk, net } = server.env
    disk.makeDirectory('/data')
    disk.syncDirectory('/')
    const file = disk.open('/data/log', 'update')
    disk.syncDirectory('/data')
    let at = file.size()
    await net.listen('127.0.0.1', 9, (stream) => ({
      onData(chunk) {
        const bytes = Buffer.from(chunk)
        file.write(bytes, at)
        at += bytes.length
        world.note(server, `wrote ${bytes.length}`)
        void file.sync().then(() => stream.write(Buffer.from(`ok${bytes.length};`)))
      },
      onClose() {},
    }))
  }
  await world.settle(start(), 1000, 'the server listens')
  let answered = 0
  const talk = (): void => {
    const stream = client.env.net.connect('h', 9, {
      onConnect: () => void stream.write(Buffer.alloc(100, 1)),
      onData(chunk) {
        for (const part of chunk.toString().split(';')) if (part.startsWith('ok')) answered += Number(part.slice(2))
        stream.write(Buffer.alloc(50, 2))
      },
      onClose: () => void client.env.clock.timer(50, talk),
    })
  }
  talk()
  await world.runUntil(() => answered > 500, 10_000, 'some answers')
  partition(client, server)
  await world.run(500)
  heal(client, server)
  await world.runUntil(() => answered > 1000, 10_000, 'answers after the partition')
  const promised = answered
  server.cutPower()
  expect(server.disk.stat('/data/log')!.size).toBeGreaterThanOrEqual(promised)
  await world.settle(start(), 1000, 'the server listens again')
  await world.runUntil(() => answered > promised + 200, 10_000, 'answers after the crash')
  server.stop()
  await world.run(100)
  const before = answered
  server.goOn()
  await world.runUntil(() => answered > before + 100, 10_000, 'answers after SIGCONT')
  return world.traceHash()
}

test('synced bytes survive, and the same seed tells the same story', async () => {
  for (const seed of [1, 2, 3, 4, 5]) expect(await story(seed)).toBe(await story(seed))
  expect(await story(6)).not.toBe(await story(7))
})
