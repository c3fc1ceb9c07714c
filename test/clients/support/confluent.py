"""A producer, or a consumer, of confluent-kafka. See job.ts for what it is told and what it says."""
import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from worker import Stream, job, record_of, tell_record

bootstrap, topic = job['bootstrap'], job['topic']
LARGEST = 12 * 1024 * 1024


def consume():
    consumer = Consumer({
        'bootstrap.servers': bootstrap, 'group.id': 'none', 'enable.auto.commit': False,
        'fetch.message.max.bytes': LARGEST, 'receive.message.max.bytes': 64 * 1024 * 1024,
    })
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    for _ in range(job['count']):
        message = consumer.poll(30)
        if message is None or message.error():
            sys.exit('no message: %s' % (message and message.error()))
        tell_record(message.offset(), message.key(), message.value(), message.headers() or [])
    consumer.close()


def produce():
    # A librdkafka that lingers asks the clock and the kernel all the time.
    producer = Producer({
        'bootstrap.servers': bootstrap, 'enable.idempotence': True, 'acks': 'all', 'linger.ms': 0, 'compression.codec': job['codec'],
        'message.max.bytes': LARGEST, 'delivery.timeout.ms': 120000, 'request.timeout.ms': 15000,
        'reconnect.backoff.max.ms': 1000, 'topic.metadata.refresh.interval.ms': 5000,
    })
    failed = []
    waiting = [0]

    def answered(i):
        waiting[0] += 1

        def report(error, message):
            waiting[0] -= 1
            if error is None:
                print('a %d %d' % (i, message.offset()), flush=True)
            else:
                failed.append(error.str())
        return report

    sent = 0
    if 'stream' in job:
        stream = Stream()
        while stream.going:
            if waiting[0] < 40:
                key, value, headers = record_of(sent, job['stream'])
                producer.produce(topic, value, key, 0, answered(sent), headers=headers)
                sent += 1
            producer.poll(0)
            time.sleep(0.01)
    else:
        for record in job['records']:
            key, value, headers = record_of(sent, record)
            producer.produce(topic, value, key, 0, answered(sent), headers=headers)
            sent += 1
    producer.flush(150)
    if failed:
        sys.exit('failed: ' + ', '.join(failed[:3]))
    print('done %d' % sent, flush=True)


consume() if 'count' in job else produce()
