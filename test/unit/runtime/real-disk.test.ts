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

test('folders and files can be made off the event loop', async () => {
  await realDisk.makeDirectoryLater(join(folder, 'later'))
  await expect(realDisk.makeDirectoryLater(join(folder, 'later'))).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(realDisk.makeDirectoryLater(join(folder, 'nowhere/later'))).rejects.toMatchObject({ code: 'ENOENT' })
  const path = join(folder, 'later/file')
  await expect(realDisk.openLater(path, 'read')).rejects.toMatchObject({ code: 'ENOENT' })
  const file = await realDisk.openLater(path, 'create')
  file.write(Buffer.from('kept'), 0)
  file.close()
  const again = await realDisk.openLater(path, 'update')
  expect(again.size()).toBe(4)
  again.close()
  const anew = await realDisk.openLater(path, 'create')
  expect(anew.size()).toBe(0)
  anew.close()
})
