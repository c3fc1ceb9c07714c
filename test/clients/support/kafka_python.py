"""A producer, or a consumer, of kafka-python. See job.ts for what it is told and what it says."""
import sys
import time

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from worker import Stream, job, record_of, tell_record

servers, topic = job['bootstrap'].split(','), job['topic']


def consume():
    consumer = KafkaConsumer(bootstrap_servers=servers, group_id=None, enable_auto_commit=False, consumer_timeout_ms=30000,
                             max_partition_fetch_bytes=12 * 1024 * 1024)
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    for _ in range(job['count']):
        message = next(consumer)
        tell_record(message.offset, message.key, message.value, message.headers)
    consumer.close()


def produce():
    producer = KafkaProducer(
        bootstrap_servers=servers, acks='all', linger_ms=2, compression_type=None if job['codec'] == 'none' else job['codec'],
        # It knows no idempotence: with one request in flight at least nothing overtakes.
        max_in_flight_requests_per_connection=1, retries=1000, retry_backoff_ms=100, request_timeout_ms=15000,
        max_request_size=12 * 1024 * 1024, metadata_max_age_ms=5000, reconnect_backoff_max_ms=1000,
    )
    futures = []

    def send(record):
        i = len(futures)
        key, value, headers = record_of(i, record)
        futures.append(producer.send(topic, value, key, headers, 0))
        futures[-1].add_callback(lambda metadata: print('a %d %d' % (i, metadata.offset), flush=True))

    if 'stream' in job:
        stream = Stream()
        while stream.going:
            if len(futures) < 40 or futures[-40].is_done:
                send(job['stream'])
            time.sleep(0.01)
    else:
        for record in job['records']:
            send(record)
    producer.flush(150)
    for future in futures:
        future.get(10)
    print('done %d' % len(futures), flush=True)


consume() if 'count' in job else produce()
