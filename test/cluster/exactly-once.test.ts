/**
 * Consume, transform, produce and commit in one transaction, by clients that are killed, on brokers that are killed: the copy is
 * exactly the input. Longer, and with all clients: `npm run test:exactly-once`.
 */
import { startCluster } from '../../index'
import { randomFrom } from '../hostile/support'
import { copierKinds } from './exactly-once/copier'
import { copyFaults, killCopier, zombie } from './exactly-once/faults'
import { CopyTrial, OVERRIDES } from './exactly-once/trial'
import type { CopyFault } from './exactly-once/faults'
import type { TestCluster } from '../../index'

const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))

let cluster: TestCluster

beforeAll(async () => {
  cluster = await startCluster({ overrides: OVERRIDES })
}, 60_000)

afterAll(() => cluster.close(), 60_000)

test.each<[string, CopyFault]>([
  ['a copier and the transaction coordinator are killed', async (trial) => {
    await killCopier(trial)
    await copyFaults['kill the transaction coordinator, start after 0.2 s']!(trial)
  }],
  ['a copier is a zombie', zombie],
])('a copy is exact when %s', async (_, fault) => {
  const trial = await CopyTrial.start(cluster, [copierKinds.prekraft, copierKinds.kafkajs], randomFrom(SEED))
  try {
    await trial.progress('before the fault', 20)
    await fault(trial)
    await trial.progress('after the fault', 20)
    await trial.finish()
  } catch (error) {
    throw new Error(`SEED=${SEED}: ${(error as Error).message}`, { cause: error })
  } finally {
    trial.abandon()
  }
}, 180_000)
