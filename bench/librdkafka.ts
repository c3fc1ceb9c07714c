import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { remove, temporaryDirectory } from './temporary'

/** What the load program prints. */
export type LoadResult = Record<string, number>

/** The load program, compiled for this run. */
export class LibrdkafkaLoad {
  private readonly directory = temporaryDirectory('bench-librdkafka')
  private readonly program = join(this.directory, 'load')

  /** Says on stderr why not if it cannot be had here. */
  static compile(): LibrdkafkaLoad | undefined {
    const load = new LibrdkafkaLoad()
    const source = join(__dirname, '../bench/librdkafka-load.c')
    const { status } = spawnSync('cc', ['-O2', source, '-lrdkafka', '-lpthread', '-o', load.program], { stdio: 'ignore' })
    if (status === 0) return load
    load.close()
    process.stderr.write('skipped: the load by librdkafka (no C compiler here, or no librdkafka-dev)\n')
    return undefined
  }

  /** See the program's head for what it takes. */
  async run(...args: (string | number)[]): Promise<LoadResult> {
    const { stdout } = await promisify(execFile)(this.program, args.map(String), { timeout: 300_000 })
    return JSON.parse(stdout) as LoadResult
  }

  close(): void {
    remove(this.directory)
  }
}
