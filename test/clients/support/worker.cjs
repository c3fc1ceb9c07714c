// What the producers of the JavaScript clients have in common: a job (job.ts) on the command line, a line per answer on the output.
const UNIT = 'the quick brown fox jumps over the lazy dog '
const STREAM_BATCH = 10

function recordOf(i, { size, key, headers }) {
  const unit = `${i}:${UNIT}`
  return {
    key: key ? `key-${i}` : null,
    value: Buffer.from(unit.repeat(Math.ceil(size / unit.length)).slice(0, size)),
    headers: headers ? { first: `value-${i}`, second: 'x' } : undefined,
  }
}

exports.runProducer = async (open) => {
  const job = JSON.parse(process.argv[2])
  const say = (line) => process.stdout.write(`${line}\n`)
  try {
    const producer = await open(job)
    let sent = 0
    if (job.stream !== undefined) {
      let going = true
      process.stdin.on('end', () => (going = false)).resume()
      while (going) {
        const first = sent
        sent += STREAM_BATCH
        const offset = await producer.send(Array.from({ length: STREAM_BATCH }, (_, i) => recordOf(first + i, job.stream)))
        for (let i = 0; i < STREAM_BATCH; i++) say(`a ${first + i} ${offset + i}`)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    } else {
      for (const [i, record] of job.records.entries()) {
        const offset = await producer.send([recordOf(i, record)])
        sent++
        say(`a ${i} ${offset}`)
      }
    }
    say(`done ${sent}`)
    await producer.close()
    process.exit(0)
  } catch (error) {
    process.stderr.write(`${error.stack}\n`)
    for (const each of error.errors ?? []) process.stderr.write(`  ${each.message}\n`)
    process.exit(1)
  }
}
