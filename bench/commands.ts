import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { apacheCommand } from './apache-kafka'
import { remove, temporaryDirectory } from './temporary'
import { sideBySide } from './clusters'
import type { Table } from './table'

const ROUNDS = 5
const TOOLS: Record<string, string> = {
  'kafka-topics': 'org.apache.kafka.tools.TopicCommand',
  'kafka-consumer-groups': 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
}

/** A command from its start to its end, by its script. */
export async function commands(table: Table): Promise<void> {
  const directory = temporaryDirectory('bench-commands')
  try {
    await sideBySide(1, {}, async (subjects) => {
      for (let round = 0; round < ROUNDS; round++) {
        for (const { name, bootstrap } of subjects) {
          const time = (tool: string, shown: string, ...args: string[]): void => {
            const all = ['--bootstrap-server', bootstrap, ...args]
            const script = join(__dirname, `../bin/${tool}.sh`)
            const theirs = apacheCommand(directory, TOOLS[tool]!, all)
            const [program, ...rest] = name === 'prekraft' ? [script, ...all] : theirs
            const startMs = performance.now()
            execFileSync(program!, rest, { stdio: ['ignore', 'ignore', 'inherit'] })
            table.add(name, `${tool}.sh ${shown}`, performance.now() - startMs, { unit: 'ms', expected: 5 })
          }
          const topic = ['--topic', `bench-${round}`, '--partitions', '3', '--replication-factor', '1']
          time('kafka-topics', '--create', '--create', ...topic)
          time('kafka-topics', '--describe', '--describe')
          time('kafka-consumer-groups', '--list', '--list')
        }
      }
      await Promise.resolve()
    })
  } finally {
    remove(directory)
  }
}
