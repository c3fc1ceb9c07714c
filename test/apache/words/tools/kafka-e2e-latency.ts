import type { WordsTable } from '../table'

/** Apache's tool says it once more in front of the stack trace. */
const twice = [[/^(.*)\n\1\n+$/, '$1\n']] as const

export const table: WordsTable = {
  tool: 'kafka-e2e-latency',
  class: 'org.apache.kafka.tools.EndToEndLatency',
  lines: [
    { args: '' },
    { args: '{bootstrap} latency-{me} 1 all' },
    { args: '{bootstrap} latency-{me} x all 10', changes: twice },
    { args: '{bootstrap} latency-{me} 1 0 10', changes: twice },
    {
      args: '{bootstrap} latency-{me} 5 all 10',
      changes: [
        [/[\d.]+( ms)?$/gm, '<n>'],
        [/= \d+/g, '= <n>'],
        [/^Topic.*\n/, ''],
      ],
    },
  ],
}
