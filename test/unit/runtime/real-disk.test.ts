import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realDisk } from '../../../runtime/real-disk'

const folder = mkdtempSync(join(tmpdir(), 'disk-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('making directories', () => {
  test('with all that lie above; again is no error', () => {
    const path = join(folder, 'a/b/c')
    realDisk.makeDirectory(path)
    realDisk.makeDirectory(path)
    expect(statSync(path).isDirectory()).toBe(true)
  })

  test('a file in the way is one', () => {
    writeFileSync(join(folder, 'file'), '')
    expect(() => realDisk.makeDirectory(join(folder, 'file'))).toThrow('EEXIST')
    expect(() => realDisk.makeDirectory(join(folder, 'file/below'))).toThrow('ENOTDIR')
  })

  const inProc = existsSync('/proc/self') ? test : test.skip
  inProc('and so is a folder that takes none', () => {
    expect(() => realDisk.makeDirectory('/proc/nothing/below')).toThrow('ENOENT')
  })
})
