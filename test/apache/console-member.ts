import { IS_OLDER, JARS } from './jars'
import { TOOL_LOG4J } from './mixed-cluster'
import type { MemberKind } from '../clients/support/group-members'

/**
 * It reads no standard input, so a shell waits for the end of that; and it shall not outlive the shell. What it prints is turned
 * into the words of group-job.ts.
 */
const SCRIPT = [
  'topic=$1; shift',
  'setpriv --pdeathsig KILL "$@" > >(exec sed -une "s/^Partition:\\([0-9]*\\)\\tOffset:\\([0-9]*\\).*/r $topic \\1 \\2/p") &',
  'child=$!',
  'cat > /dev/null',
  'kill $child',
  'wait $child',
  'exit 0',
].join('\n')

/** Apache's ConsoleConsumer as a member of a group, on one topic. */
export const consoleConsumer: MemberKind = {
  name: 'ConsoleConsumer',
  isStatic: false,
  // It commits by itself.
  mayBeKilled: false,
  tells: false,
  isThere: () => true,
  command: ({ bootstrap, group, member, topics, sessionTimeoutMs }) => {
    const settings = {
      'client.id': member,
      'session.timeout.ms': sessionTimeoutMs,
      'heartbeat.interval.ms': 500,
      'auto.commit.interval.ms': 300,
      'metadata.max.age.ms': 5000,
      'partition.assignment.strategy': 'org.apache.kafka.clients.consumer.RangeAssignor',
    }
    const java = ['java', '-Xmx128m', '-XX:TieredStopAtLevel=1', `-Dlog4j.configuration=file:${TOOL_LOG4J}`, '-cp', `${JARS}/*`]
    return [
      'bash',
      '-c',
      SCRIPT,
      'member',
      topics[0]!,
      ...java,
      IS_OLDER ? 'kafka.tools.ConsoleConsumer' : 'org.apache.kafka.tools.consumer.ConsoleConsumer',
      ...['--bootstrap-server', bootstrap, '--topic', topics[0]!, '--group', group, '--from-beginning'],
      ...Object.entries(settings).flatMap(([key, value]) => ['--consumer-property', `${key}=${value}`]),
      ...['print.partition=true', 'print.offset=true', 'print.value=false'].flatMap((each) => ['--property', each]),
    ]
  },
}
