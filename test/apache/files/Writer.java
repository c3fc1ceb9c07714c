import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;

/**
 * Writes to topics of every kind with Kafka's own clients: bootstrap server, number of partitions, number of the phase (the first
 * one creates the topics).
 */
public class Writer {
    private static final byte[][] VALUES = new byte[1000][];
    private static String bootstrap;
    private static int partitions;
    private static int phase;
    private static Random random;

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        partitions = Integer.parseInt(args[1]);
        phase = Integer.parseInt(args[2]);
        random = new Random(phase);
        for (int i = 0; i < VALUES.length; i++) {
            VALUES[i] = new byte[random.nextInt(120)];
            // Compressible, but not to nothing.
            for (int j = 0; j < VALUES[i].length; j++) VALUES[i][j] = (byte) ('a' + random.nextInt(8));
        }
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            if (phase == 1) create(admin);
            codecs();
            plain();
            times();
            transactions();
            table();
            trimmed(admin);
            groups();
        }
        // A transaction is left open.
        Runtime.getRuntime().halt(0);
    }

    private static void create(Admin admin) throws Exception {
        List<NewTopic> topics = new ArrayList<>();
        topics.add(topic("codecs", "segment.bytes", "7000", "index.interval.bytes", "512"));
        topics.add(topic("plain", "segment.bytes", "30000", "index.interval.bytes", "4096"));
        topics.add(topic("dense", "segment.bytes", "6000", "index.interval.bytes", "0", "segment.index.bytes", "160"));
        topics.add(topic("times", "segment.bytes", "9000", "index.interval.bytes", "300", "segment.ms", "3600000"));
        topics.add(topic("stamped", "segment.bytes", "9000", "index.interval.bytes", "300",
            "message.timestamp.type", "LogAppendTime"));
        topics.add(topic("transactions", "segment.bytes", "5000", "index.interval.bytes", "200"));
        topics.add(topic("table", "segment.bytes", "5000", "index.interval.bytes", "200", "cleanup.policy", "compact",
            "min.cleanable.dirty.ratio", "0.01", "delete.retention.ms", "100"));
        topics.add(topic("trimmed", "segment.bytes", "5000", "index.interval.bytes", "1000"));
        topics.add(topic("silent"));
        admin.createTopics(topics).all().get();
    }

    private static NewTopic topic(String name, String... configs) {
        Map<String, String> map = new HashMap<>();
        for (int i = 0; i < configs.length; i += 2) map.put(configs[i], configs[i + 1]);
        return new NewTopic(name, partitions, (short) 1).configs(map);
    }

    private static KafkaProducer<byte[], byte[]> producer(Object... settings) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("key.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer");
        properties.put("value.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer");
        properties.put("batch.size", "700");
        properties.put("linger.ms", "3");
        for (int i = 0; i < settings.length; i += 2) properties.put(settings[i], settings[i + 1]);
        return new KafkaProducer<>(properties);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] value() {
        return VALUES[random.nextInt(VALUES.length)];
    }

    private static List<Header> headers() {
        List<Header> headers = new ArrayList<>();
        for (int i = random.nextInt(3); i > 0; i--)
            headers.add(new RecordHeader("header-" + i, random.nextInt(5) == 0 ? null : value()));
        return headers;
    }

    private static void codecs() {
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            try (KafkaProducer<byte[], byte[]> producer =
                producer("compression.type", codec, "enable.idempotence", "false", "acks", "1")) {
                for (int i = 0; i < 40; i++) {
                    for (int p = 0; p < partitions; p++) {
                        byte[] key = i % 7 == 0 ? null : bytes("key-" + i);
                        producer.send(new ProducerRecord<>("codecs", p, null, key, i % 11 == 0 ? null : value(), headers()));
                    }
                }
            }
        }
    }

    private static void plain() {
        try (KafkaProducer<byte[], byte[]> producer = producer();
            KafkaProducer<byte[], byte[]> large = producer("batch.size", "5000")) {
            for (int i = 0; i < 300; i++) {
                for (int p = 0; p < partitions; p++) {
                    (i % 60 < 30 ? producer : large).send(new ProducerRecord<>("plain", p, bytes("k" + i), value()));
                    if (i % 2 == 0) producer.send(new ProducerRecord<>("dense", p, null, value()));
                }
            }
        }
    }

    private static void times() {
        long now = System.currentTimeMillis();
        try (KafkaProducer<byte[], byte[]> producer = producer();
            KafkaProducer<byte[], byte[]> packed = producer("compression.type", "lz4")) {
            for (int i = 0; i < 120; i++) {
                KafkaProducer<byte[], byte[]> one = i % 40 < 20 ? producer : packed;
                for (int p = 0; p < partitions; p++) {
                    // Some are old, but not so old that producers expire, and two hours lie between others.
                    long ago = i % 3 == 0 ? random.nextInt(72_000_000) : 7_200_000L * (3 - i / 30);
                    long timestamp = now - ago + random.nextInt(1000);
                    one.send(new ProducerRecord<>("times", p, timestamp, bytes("k" + i), value()));
                    one.send(new ProducerRecord<>("stamped", p, timestamp, bytes("k" + i), value()));
                }
            }
        }
    }

    private static void transactions() throws Exception {
        List<KafkaProducer<byte[], byte[]>> producers = new ArrayList<>();
        for (int n = 0; n < 5; n++) {
            String codec = n == 1 ? "zstd" : "none";
            producers.add(producer("transactional.id", "id-" + n, "transaction.timeout.ms", "900000", "compression.type", codec));
            producers.get(n).initTransactions();
        }
        for (int round = 0; round < 8; round++) {
            // They overlap: one goes on while others begin and end.
            for (int n = 0; n < 5; n++) {
                KafkaProducer<byte[], byte[]> producer = producers.get(n);
                if (n != 3 || round % 4 == 0) producer.beginTransaction();
            }
            for (int i = 0; i < 15; i++) {
                for (int p = 0; p < partitions; p++) {
                    int n = random.nextInt(5);
                    producers.get(n).send(new ProducerRecord<>("transactions", p, bytes("key-" + i), value()));
                    if (i % 3 == 0) producers.get(n).send(new ProducerRecord<>("table", p, bytes("key-" + i), value()));
                }
            }
            for (int n = 0; n < 5; n++) {
                if (n == 3 && round % 4 != 3) continue;
                if (random.nextInt(5) < 3) producers.get(n).commitTransaction();
                else producers.get(n).abortTransaction();
            }
        }
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (int p = 0; p < partitions; p++) offsets.put(new TopicPartition("transactions", p), new OffsetAndMetadata(p + phase));
        for (int n = 0; n < 2; n++) {
            producers.get(n).beginTransaction();
            producers.get(n).send(new ProducerRecord<>("transactions", n, null, value()));
            producers.get(n).sendOffsetsToTransaction(offsets, new ConsumerGroupMetadata("of-transactions-" + n));
            if (n == 0) producers.get(n).commitTransaction();
            else producers.get(n).abortTransaction();
        }
        for (int n = 0; n < 4; n++) producers.get(n).close();
        KafkaProducer<byte[], byte[]> open = producers.get(4);
        open.beginTransaction();
        for (int p = 0; p < partitions; p++) open.send(new ProducerRecord<>("transactions", p, null, bytes("open")));
        open.flush();
    }

    private static void table() {
        try (KafkaProducer<byte[], byte[]> producer = producer("compression.type", phase == 2 ? "gzip" : "none")) {
            for (int i = 0; i < 200; i++) {
                for (int p = 0; p < partitions; p++) {
                    int key = random.nextInt(40);
                    producer.send(new ProducerRecord<>("table", p, bytes("key-" + key), i % 9 == 0 ? null : value()));
                }
            }
        }
    }

    private static void trimmed(Admin admin) throws Exception {
        Map<TopicPartition, RecordsToDelete> upTo = new HashMap<>();
        try (KafkaProducer<byte[], byte[]> producer = producer("compression.type", "snappy")) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i = 0; i < 120 * partitions; i++)
                sent.add(producer.send(new ProducerRecord<>("trimmed", i % partitions, null, value())));
            for (Future<RecordMetadata> each : sent) {
                RecordMetadata where = each.get();
                upTo.put(new TopicPartition("trimmed", where.partition()), RecordsToDelete.beforeOffset(where.offset() - 25));
            }
        }
        admin.deleteRecords(upTo).all().get();
    }

    private static void groups() {
        for (int g = 0; g < 6; g++) {
            Properties properties = new Properties();
            properties.put("bootstrap.servers", bootstrap);
            properties.put("group.id", "group-" + g);
            properties.put("auto.offset.reset", "earliest");
            properties.put("key.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
            properties.put("value.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
            if (g % 2 == 0) properties.put("group.instance.id", "instance-" + g);
            try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(properties)) {
                List<String> topics = new ArrayList<>(Arrays.asList("plain", "times"));
                consumer.subscribe(topics.subList(0, 1 + g % 2));
                while (consumer.assignment().isEmpty()) consumer.poll(Duration.ofMillis(20));
                for (int i = 0; i < 3; i++) {
                    consumer.poll(Duration.ofMillis(20));
                    consumer.commitSync();
                }
            }
        }
    }
}
