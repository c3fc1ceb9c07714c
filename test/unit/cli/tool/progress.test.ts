import { Progress } from '../../../../cli/tool/progress'

function watched(isTTY: boolean | undefined, total?: number) {
  const written: string[] = []
  const clock = { ms: 0 }
  const progress = new Progress('records copied', total, { isTTY, write: (text) => written.push(text) }, () => clock.ms)
  return { written, clock, progress }
}

test('a terminal sees how far it is, four times a second, and nothing at the end', () => {
  const { written, clock, progress } = watched(true, 1000)
  progress.add(10)
  expect(written).toEqual([])
  clock.ms = 250
  progress.add(10)
  progress.add(10)
  clock.ms = 500
  progress.add(10)
  progress.clear()
  progress.clear()
  expect(written).toEqual(['\r\x1b[K20 of 1000 records copied', '\r\x1b[K40 of 1000 records copied', '\r\x1b[K'])
})

test('without a total', () => {
  const { written, clock, progress } = watched(true)
  clock.ms = 1000
  progress.add()
  expect(written).toEqual(['\r\x1b[K1 records copied'])
})

test('short work shows nothing, and so does a pipe', () => {
  const short = watched(true)
  short.progress.add()
  short.progress.clear()
  expect(short.written).toEqual([])
  const pipe = watched(undefined)
  pipe.clock.ms = 5000
  pipe.progress.add()
  pipe.progress.clear()
  expect(pipe.written).toEqual([])
})
