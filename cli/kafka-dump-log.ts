import { Complaints, dumpOffsetIndex, dumpSnapshot, dumpTimeIndex, dumpTransactionIndex } from './dump-log/indexes'
import { DECODER_OPTIONS, recordParser } from './dump-log/decoders'
import { SegmentReader, baseOffsetOf, batchLine, recordLine, recordsOf } from './dump-log/records'
import { UsageError } from './tool/command-line'
import { runTool } from './tool/run'
import { synchronousOutput } from './tool/synchronous-output'
import type { CommandLine } from './tool/command-line'
import type { Mode } from './dump-log/indexes'

const PURPOSE =
  'This tool helps to parse a log file and dump its contents to the console, useful for debugging a seemingly corrupt ' +
  'log segment.'

function dumpLog(path: string, line: CommandLine, print: (text: string) => void, complaints: Complaints): void {
  const parse = recordParser(line, print)
  print(`Log starting offset: ${baseOffsetOf(path)}`)
  const contents = line.has('print-data-log') || DECODER_OPTIONS.some((option) => line.has(option))
  const options = { contents, metadata: !line.has('skip-record-metadata'), parse }
  const deep = line.has('deep-iteration') || contents
  const log = new SegmentReader(path)
  const end = Math.min(log.size, line.whole('max-bytes', Number.MAX_SAFE_INTEGER))
  try {
    let lastOffset = -1
    let position = 0
    for (const { batch, position: at } of log.batches(0, end)) {
      if (at + batch.length > end) break
      print(batchLine(batch, at))
      position = at + batch.length
      if (!deep) continue
      for (const record of recordsOf(batch)) {
        if (lastOffset !== -1 && record.offset !== lastOffset + 1)
          complaints.add('gaps', path, `${lastOffset} is followed by ${record.offset}`)
        lastOffset = record.offset
        print(recordLine(batch, record, options))
      }
    }
    if (end === log.size && position < end)
      print(`Found ${end - position} invalid bytes at the end of ${path.split('/').at(-1) ?? path}`)
  } finally {
    log.close()
  }
}

void runTool({
  purpose: PURPOSE,
  options: [
    { name: 'files', argument: 'String: file1, file2, ...', description: 'REQUIRED: The files of a log to show, by comma.' },
    { name: 'print-data-log', description: "Shows the records' keys and values too. Implies --deep-iteration." },
    { name: 'deep-iteration', description: 'Shows the records of each batch.' },
    { name: 'verify-index-only', description: 'Checks indexes against the log without showing them.' },
    { name: 'index-sanity-check', description: 'Checks indexes as a broker does at start.' },
    { name: 'max-message-size', argument: 'Integer: size', description: 'The largest message. Default: 5242880.' },
    { name: 'max-bytes', argument: 'Integer: size', description: 'Reads only so many bytes of a log.' },
    { name: 'skip-record-metadata', description: 'Shows only keys and values of records.' },
    {
      name: 'key-decoder-class',
      argument: 'String',
      optionalArgument: true,
      description: 'How keys are shown: StringDecoder, LongDecoder, IntegerDecoder of org.apache.kafka.tools.api.',
    },
    {
      name: 'value-decoder-class',
      argument: 'String',
      optionalArgument: true,
      description: 'How values are shown: StringDecoder, LongDecoder, IntegerDecoder of org.apache.kafka.tools.api.',
    },
    { name: 'offsets-decoder', description: 'Shows the records as those of __consumer_offsets.' },
    { name: 'transaction-log-decoder', description: 'Shows the records as those of __transaction_state.' },
    { name: 'cluster-metadata-decoder', description: 'Refused: for KRaft.' },
    { name: 'remote-log-metadata-decoder', description: 'Refused: for tiered storage.' },
  ],
  failure: (message, error) => {
    const { code, path } = error as NodeJS.ErrnoException
    return { err: path === undefined ? message : `${path} cannot be read (${code ?? message})` }
  },
  async run(line) {
    if (process.argv.length === 2) throw new UsageError(PURPOSE)
    const files = line
      .required('files')
      .split(',')
      .map((file) => file.trim())
      .filter((file) => file !== '')
    const mode: Mode = line.has('index-sanity-check') ? 'sanity' : line.has('verify-index-only') ? 'verify' : 'dump'
    const complaints = new Complaints()
    const { print, flush } = synchronousOutput(process.stdout.fd)
    try {
      for (const file of files) {
        print(`Dumping ${file}`)
        const suffix = file.slice(file.lastIndexOf('.'))
        if (suffix === '.log') dumpLog(file, line, print, complaints)
        else if (suffix === '.index') dumpOffsetIndex(file, mode, print, complaints)
        else if (suffix === '.timeindex') dumpTimeIndex(file, mode, print, complaints)
        else if (suffix === '.txnindex') dumpTransactionIndex(file, print)
        else if (suffix === '.snapshot') dumpSnapshot(file, print)
        else {
          flush()
          process.stderr.write(`Ignoring unknown file ${file}\n`)
        }
      }
    } finally {
      // What comes before the damage is what one looks for.
      flush()
    }
    for (const text of complaints.lines()) process.stderr.write(`${text}\n`)
    return Promise.resolve()
  },
})
