import type { WordsTable } from '../table'

const HOST = '--broker-list {bootstrap}'
const TWICE = [/^(.+)\n\1\n*$/, '$1\n'] as const

export const table: WordsTable = {
  tool: 'kafka-replica-verification',
  class: 'org.apache.kafka.tools.ReplicaVerificationTool',
  lines: [
    { args: '' },
    { args: '--help' },
    { args: '--version' },
    { args: '--nope' },
    { args: '--topics-include t' },
    { args: '--broker-list nowhere' },
    { args: `${HOST} --topics-include a --topic-white-list b` },
    { args: `${HOST} --topics-include '['` },
    { args: `${HOST} --topics-include no-such` },
    { args: `${HOST} --time x` },
  ].map((line) => ({ ...line, changes: [TWICE] })),
}
