"""A member of a group, of kafka-python. See group-job.ts for what it is told and what it says."""
import sys
import time

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import KafkaError

from worker import Stream, job


def say(line):
    sys.stdout.write(line + '\n')
    sys.stdout.flush()


def now():
    return int(time.time() * 1000)


class Listener(ConsumerRebalanceListener):
    def on_partitions_assigned(self, assigned):
        say('assigned %d %s' % (now(), ','.join('%s/%d' % each for each in sorted(assigned)) or '-'))

    def on_partitions_revoked(self, revoked):
        pass


consumer = KafkaConsumer(
    bootstrap_servers=job['bootstrap'].split(','), group_id=job['group'], client_id=job['member'], enable_auto_commit=False,
    auto_offset_reset='earliest', session_timeout_ms=job['sessionTimeoutMs'], heartbeat_interval_ms=500, max_poll_interval_ms=20000,
    partition_assignment_strategy=[RangePartitionAssignor], metadata_max_age_ms=5000, reconnect_backoff_max_ms=1000,
    request_timeout_ms=25000, fetch_max_wait_ms=200,
)
consumer.subscribe(job['topics'], listener=Listener())
stream = Stream()
while stream.going:
    offsets = {}
    for partition, messages in consumer.poll(timeout_ms=200).items():
        for message in messages:
            say('r %s %d %d' % (partition.topic, partition.partition, message.offset))
        offsets[partition] = OffsetAndMetadata(messages[-1].offset + 1, '')
    if not offsets:
        continue
    try:
        consumer.commit(offsets)
        for partition, offset in offsets.items():
            say('c %d %s %d %d' % (now(), partition.topic, partition.partition, offset.offset))
    except KafkaError as error:
        sys.stderr.write('commit: %r\n' % error)
consumer.close(autocommit=False)
