// SPDX-License-Identifier: Apache-2.0
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/* What a platform on the JVM does to a record, per line: parses it into a tree, writes its data to know the length, counts the fields
 * that are not null, gives the stream a prefix, and writes the message. RivalJackson FILE ROUNDS prints bytes a second of CPU time of
 * one thread, the median of the rounds after as many to warm up. */
public final class RivalJackson {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private static long change(byte[] text, int from, int to) throws Exception {
        ObjectNode message = (ObjectNode) MAPPER.readTree(text, from, to - from);
        ObjectNode record = (ObjectNode) message.get("record");
        JsonNode data = record.get("data");
        long length = MAPPER.writeValueAsString(data).length();
        long fields = 0;
        for (JsonNode value : data) {
            fields += value.isNull() ? 0 : 1;
        }
        record.put("stream", "p_" + record.get("stream").textValue());
        return length + fields + MAPPER.writeValueAsBytes(message).length;
    }

    private static long round(byte[] text) throws Exception {
        long sum = 0;
        for (int from = 0; from < text.length;) {
            int to = from;
            while (text[to] != '\n') {
                to++;
            }
            sum += change(text, from, to);
            from = to + 1;
        }
        return sum;
    }

    public static void main(String[] args) throws Exception {
        byte[] text = Files.readAllBytes(Path.of(args[0]));
        int rounds = Integer.parseInt(args[1]);
        double[] speeds = new double[rounds];
        long sum = 0;
        for (int i = -rounds; i < rounds; i++) {
            long begun = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
            sum += round(text);
            long took = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - begun;
            if (i >= 0) {
                speeds[i] = text.length / (took / 1e9);
            }
        }
        if (sum < text.length) {
            throw new IllegalStateException("less came out than went in");
        }
        Arrays.sort(speeds);
        System.out.println(speeds[rounds / 2]);
    }
}
