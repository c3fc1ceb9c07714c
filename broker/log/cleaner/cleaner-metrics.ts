import type { Metrics } from '../../../runtime/metrics'
import type { CleaningStats } from './cleaning-job'

/** What the gauges read, by Kafka's names. */
export interface CleanerState {
  readonly uncleanable: ReadonlySet<{ readonly dir: string; readonly size: number }>
  readonly dirtiestRatio: number
  /** The longest delay beyond max.compaction.lag.ms of any log, at the last look. */
  readonly overdueMs: number
  /** Since the last look for something to clean. */
  readonly sinceLastRunMs: number
  /** Of the last job that ended. */
  readonly lastStats: CleaningStats | undefined
  readonly lastTookMs: number
}

const NAMES = {
  maxDirtyPercent: (state: CleanerState) => Math.floor(100 * state.dirtiestRatio),
  timeSinceLastRunMs: (state: CleanerState) => state.sinceLastRunMs,
  maxCompactionDelaySecs: (state: CleanerState) => Math.floor(state.overdueMs / 1000),
  maxCleanTimeSecs: (state: CleanerState) => Math.floor(state.lastTookMs / 1000),
  maxBufferUtilizationPercent: (state: CleanerState) => Math.floor(100 * (state.lastStats?.mapUtilization ?? 0)),
  recopyPercent: ({ lastStats }: CleanerState) =>
    lastStats === undefined || lastStats.bytesRead === 0 ? 0 : Math.floor((100 * lastStats.bytesWritten) / lastStats.bytesRead),
}

/** Kafka's gauges of LogCleaner and LogCleanerManager. */
export function addCleanerMetrics(metrics: Metrics, dirs: readonly string[], state: CleanerState): void {
  const gauge = (name: string, read: (state: CleanerState) => number): void => metrics.gauge(name, () => read(state))
  gauge('kafka.log:type=LogCleanerManager,name=max-dirty-percent', NAMES.maxDirtyPercent)
  gauge('kafka.log:type=LogCleanerManager,name=time-since-last-run-ms', NAMES.timeSinceLastRunMs)
  gauge('kafka.log:type=LogCleaner,name=max-compaction-delay-secs', NAMES.maxCompactionDelaySecs)
  gauge('kafka.log:type=LogCleaner,name=max-clean-time-secs', NAMES.maxCleanTimeSecs)
  gauge('kafka.log:type=LogCleaner,name=max-buffer-utilization-percent', NAMES.maxBufferUtilizationPercent)
  gauge('kafka.log:type=LogCleaner,name=cleaner-recopy-percent', NAMES.recopyPercent)
  for (const dir of dirs) {
    const here = () => [...state.uncleanable].filter((log) => log.dir === dir)
    const labels = { logDirectory: dir }
    metrics.gauge('kafka.log:type=LogCleanerManager,name=uncleanable-partitions-count', () => here().length, labels)
    const bytes = () => here().reduce((sum, log) => sum + log.size, 0)
    metrics.gauge('kafka.log:type=LogCleanerManager,name=uncleanable-bytes', bytes, labels)
  }
}
