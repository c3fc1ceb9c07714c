"""Produces, then consumes, with confluent-kafka; tells how often and for how long brokers have throttled it."""
import json
import sys

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

bootstrap, topic, client_id, count, size = sys.argv[1:4] + [int(each) for each in sys.argv[4:]]


def throttles_of(make, settings, work):
    times = []
    client = make({
        'bootstrap.servers': bootstrap, 'client.id': client_id, 'throttle_cb': lambda event: times.append(event.throttle_time), **settings,
    })
    return {'records': work(client, times), 'throttles': times}


def produce(producer, _times):
    acknowledged = []
    for i in range(count):
        producer.produce(topic, b'x' * size, partition=0, on_delivery=lambda error, message: error is None and acknowledged.append(message))
        producer.poll(0)
    producer.flush(100)
    return len(acknowledged)


def consume(consumer, _times):
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    records = 0
    while records < count:
        message = consumer.poll(60)
        if message is None or message.error():
            sys.exit('no message: %s' % (message and message.error()))
        records += 1
    consumer.close()
    return records


produced = throttles_of(Producer, {'linger.ms': 1, 'batch.num.messages': 5}, produce)
consumed = throttles_of(Consumer, {'group.id': 'none', 'enable.auto.commit': False, 'fetch.message.max.bytes': 100 * 1024}, consume)
print(json.dumps({'produced': produced, 'consumed': consumed}))
