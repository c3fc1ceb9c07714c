import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RecordingSource } from '../../../../cli/watch/recording-source'
import { askForSnapshot } from '../../../../cli/watch/snapshot'
import { FileRecorder } from '../../../../recording/file-recorder'
import { silentLogger } from '../../../../runtime/log'
import { realEnvironment } from '../../../../runtime/real'

const env = realEnvironment()
let root: string
let directory: string
let told: string[]
let sources: RecordingSource[]

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'prekraft-watch-'))
  directory = join(root, 'broker-1', 'recording')
  mkdirSync(directory, { recursive: true })
  told = []
  sources = []
})
afterEach(() => {
  for (const source of sources) source.close()
  rmSync(root, { recursive: true })
})

function follow(fromBeginning = false): void {
  const source = new RecordingSource({
    directory,
    fromBeginning,
    onEvent: ({ event, process }) => told.push(`${process} ${event.kind === 'life' ? event.what : event.kind}`),
    onRemark: (process, text) => told.push(`${process}: ${text.split(':')[0]}`),
  })
  sources.push(source)
  source.start()
}

async function recorder(): Promise<FileRecorder> {
  const made = new FileRecorder(env, { directory, process: 'broker-1', logger: silentLogger })
  await made.start()
  return made
}

const life = (made: FileRecorder, what: string): void => made.record({ kind: 'life', what })

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

const toldAll = (...expected: string[]) => until(() => expected.every((each) => told.includes(each)))

test('what happens from now on, without what was before', async () => {
  const made = await recorder()
  life(made, 'before')
  made.flush()
  follow()
  // Connected as soon as it tells something.
  const timer = setInterval(() => life(made, 'now'), 5)
  await toldAll('broker-1 now')
  clearInterval(timer)
  life(made, 'stopped')
  made.close()
  await toldAll('broker-1 stopped')
  expect(told).not.toContain('broker-1 before')
})

test('on request also what was before, once', async () => {
  const made = await recorder()
  life(made, 'one')
  made.flush()
  follow(true)
  await toldAll('broker-1 one')
  life(made, 'two')
  await toldAll('broker-1 two')
  made.close()
  expect(told.filter((each) => each.startsWith('broker-1 '))).toEqual(['broker-1 one', 'broker-1 two'])
})

test('the last words of a process that ends, and the first of its next life', async () => {
  const first = await recorder()
  follow(true)
  life(first, 'one')
  await toldAll('broker-1 one')
  life(first, 'dying')
  first.close()
  await toldAll('broker-1 dying', 'broker-1: gone')
  const second = await recorder()
  life(second, 'reborn')
  second.flush()
  await toldAll('broker-1 reborn')
  life(second, 'on')
  await toldAll('broker-1 on')
  second.close()
  expect(told.slice(0, 5)).toEqual(['broker-1 one', 'broker-1 dying', 'broker-1: gone', 'broker-1 reborn', 'broker-1 on'])
})

test('of a process that was dead before, the last words', async () => {
  const made = await recorder()
  for (let i = 1; i <= 9; i++) life(made, String(i))
  made.close()
  follow()
  await toldAll('broker-1: does not run')
  expect(told).toEqual(['5', '6', '7', '8', '9'].map((what) => `broker-1 ${what}`).concat('broker-1: does not run'))
})

test('a torn end and bytes that are no recording do no harm', async () => {
  const made = await recorder()
  life(made, 'one')
  made.close()
  const file = env.disk.open(join(directory, 'recording-0.bin'), 'update')
  file.write(Buffer.from([40, 1, 2]), file.size())
  file.close()
  const other = env.disk.open(join(directory, 'recording-1.bin'), 'create')
  other.write(Buffer.alloc(100, 0xff), 0)
  other.close()
  follow(true)
  await toldAll('broker-1 one')
})

test('the memory of the one that is the controller', async () => {
  const made = await recorder()
  made.onSnapshotRequest = () => made.record({ kind: 'snapshot', controllerEpoch: 3, memory: '{"a":1}' })
  const otherDirectory = join(root, 'broker-2', 'recording')
  const other = new FileRecorder(env, { directory: otherDirectory, process: 'broker-2', logger: silentLogger })
  mkdirSync(otherDirectory, { recursive: true })
  await other.start()
  expect(await askForSnapshot([otherDirectory, directory, join(root, 'broker-3')], 2000)).toBe('{"a":1}')
  made.close()
  expect(await askForSnapshot([otherDirectory], 50)).toBeUndefined()
  other.close()
})
