"""
Writes numbered records to every partition until standard input ends; one line per answer: a (acknowledged) or e (error).
After a fatal error, which it says in a line f, it goes on with another producer, as librdkafka asks for.
"""
import sys
import threading
import time

from confluent_kafka import KafkaError, KafkaException, Producer

bootstrap, topic, partitions, padding, timeout = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5])
pause = float(sys.argv[6]) if len(sys.argv) > 6 else 0.004
going = True
out = sys.stdout


def wait_for_end():
    global going
    sys.stdin.read()
    going = False


threading.Thread(target=wait_for_end, daemon=True).start()


def write_until_the_end(producer):
    """Or until that of the producer."""
    waiting = [0] * partitions

    def report(n, partition):
        def answered(error, message):
            waiting[partition] -= 1
            if error is None:
                out.write('a %d %d %d\n' % (n, partition, -1 if message.offset() is None else message.offset()))
            else:
                out.write('e %d %d %s\n' % (n, partition, error.str()))
            out.flush()
        return answered

    def write_to(partition):
        global n
        try:
            producer.produce(topic, value='rdkafka:%d%s' % (n, padding), partition=partition, on_delivery=report(n, partition))
        except KafkaException as error:
            if error.args[0].code() == KafkaError._FATAL:
                return  # poll says why
            raise
        waiting[partition] += 1
        n += 1

    try:
        while going:
            for partition in range(partitions):
                if waiting[partition] < 20:
                    write_to(partition)
            producer.poll(0)
            time.sleep(pause)
        producer.flush(150)
    except KafkaException as error:
        if not error.args[0].fatal():
            raise
        out.write('f %s\n' % error.args[0].str().replace('\n', ' '))
        producer.flush(5)
        producer.purge()
        producer.flush(5)


n = 0
while going:
    write_until_the_end(Producer({
        'bootstrap.servers': bootstrap,
        'enable.idempotence': True,
        'acks': 'all',
        'linger.ms': 2,
        'delivery.timeout.ms': 120000,
        'request.timeout.ms': timeout,
        'reconnect.backoff.max.ms': 1000,
        'topic.metadata.refresh.interval.ms': 5000,
    }))
out.write('done %d\n' % n)
out.flush()
