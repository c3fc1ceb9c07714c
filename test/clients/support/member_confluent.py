"""A member of a group, of confluent-kafka. See group-job.ts for what it is told and what it says."""
import sys
import time

from confluent_kafka import Consumer, KafkaException, TopicPartition

from worker import Stream, job

assignor = job.get('assignor', 'range')
config = {
    'bootstrap.servers': job['bootstrap'], 'group.id': job['group'], 'client.id': job['member'], 'enable.auto.commit': False,
    'auto.offset.reset': 'earliest', 'session.timeout.ms': job['sessionTimeoutMs'], 'heartbeat.interval.ms': 500, 'max.poll.interval.ms': 20000,
    'partition.assignment.strategy': assignor, 'topic.metadata.refresh.interval.ms': 5000, 'reconnect.backoff.max.ms': 1000,
    'fetch.wait.max.ms': 200,
}
if 'instanceId' in job:
    config['group.instance.id'] = job['instanceId']


def say(line):
    sys.stdout.write(line + '\n')
    sys.stdout.flush()


def now():
    return int(time.time() * 1000)


def assigned(consumer, partitions):
    say('assigned %d %s' % (now(), ','.join('%s/%d' % (each.topic, each.partition) for each in partitions) or '-'))
    if assignor == 'cooperative-sticky':
        consumer.incremental_assign(partitions)
    else:
        consumer.assign(partitions)


def some():
    """What is there. Not by consume(): it leaves out messages that arrive while partitions come and go (librdkafka before 1.9)."""
    message = consumer.poll(0.2)
    found = []
    while message is not None:
        found.append(message)
        message = consumer.poll(0) if len(found) < 200 else None
    return found


consumer = Consumer(config)
consumer.subscribe(job['topics'], on_assign=assigned)
stream = Stream()
while stream.going:
    ends = {}
    for message in some():
        if message.error():
            sys.stderr.write('consume: %s\n' % message.error())
            continue
        say('r %s %d %d' % (message.topic(), message.partition(), message.offset()))
        ends[(message.topic(), message.partition())] = message.offset() + 1
    if not ends:
        continue
    try:
        done = consumer.commit(offsets=[TopicPartition(topic, partition, end) for (topic, partition), end in ends.items()], asynchronous=False)
        for each in done:
            if each.error is None:
                say('c %d %s %d %d' % (now(), each.topic, each.partition, each.offset))
            else:
                sys.stderr.write('commit of %s: %s\n' % (each, each.error))
    except KafkaException as error:
        sys.stderr.write('commit: %s\n' % error)
consumer.close()
