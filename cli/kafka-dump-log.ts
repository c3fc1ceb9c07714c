import { resolve } from 'node:path'
import { Complaints, dumpOffsetIndex, dumpSnapshot, dumpTimeIndex, dumpTransactionIndex } from './dump-log/indexes'
import { SegmentReader, baseOffsetOf, batchLine, recordLine, recordsOf } from './dump-log/records'
import { UsageError } from './tool/command-line'
import { runTool } from './tool/run'
import type { CommandLine } from './tool/command-line'
import type { Mode } from './dump-log/indexes'
import type { Record } from '../protocol/records/records'

const PURPOSE =
  'This tool helps to parse a log file and dump its contents to the console, useful for debugging a seemingly corrupt ' +
  'log segment.'

type Decoder = (bytes: Buffer) => string

function decoderOf(name: string | undefined): Decoder {
  switch (name?.split('.').at(-1)) {
    case undefined:
    case 'StringDecoder':
    case 'DefaultDecoder':
      return (bytes) => bytes.toString('utf8')
    case 'LongDecoder':
      return (bytes) => String(bytes.readBigInt64BE(0))
    case 'IntegerDecoder':
      return (bytes) => String(bytes.readInt32BE(0))
    default:
      throw new UsageError(
        `Could not find the decoder ${name ?? ''}: there are StringDecoder, DefaultDecoder, LongDecoder, IntegerDecoder`,
        false,
      )
  }
}

function dumpLog(path: string, line: CommandLine, print: (text: string) => void, complaints: Complaints): void {
  const keyOf = decoderOf(line.value('key-decoder-class'))
  const payloadOf = decoderOf(line.value('value-decoder-class'))
  print(`Log starting offset: ${baseOffsetOf(path)}`)
  const options = {
    contents: line.has('print-data-log'),
    metadata: !line.has('skip-record-metadata'),
    parse: (record: Record) => ({
      key: record.key === null ? undefined : keyOf(record.key),
      payload: record.value === null ? undefined : payloadOf(record.value),
    }),
  }
  const deep = line.has('deep-iteration') || line.has('print-data-log')
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
          complaints.add(`Non-consecutive offsets in ${resolve(path)}`, `${lastOffset} is followed by ${record.offset}`)
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
      description: 'How keys are shown: StringDecoder, LongDecoder, IntegerDecoder.',
    },
    {
      name: 'value-decoder-class',
      argument: 'String',
      description: 'How values are shown: StringDecoder, LongDecoder, IntegerDecoder.',
    },
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
    const print = (text: string): void => void process.stdout.write(`${text}\n`)
    for (const file of files) {
      print(`Dumping ${file}`)
      const suffix = file.slice(file.lastIndexOf('.'))
      if (suffix === '.log') dumpLog(file, line, print, complaints)
      else if (suffix === '.index') dumpOffsetIndex(file, mode, print, complaints)
      else if (suffix === '.timeindex') dumpTimeIndex(file, mode, print, complaints)
      else if (suffix === '.txnindex') dumpTransactionIndex(file, print)
      else if (suffix === '.snapshot') dumpSnapshot(file, print)
      else process.stderr.write(`Ignoring unknown file ${file}\n`)
    }
    for (const text of complaints.lines()) process.stderr.write(`${text}\n`)
    return Promise.resolve()
  },
})
