// SPDX-License-Identifier: MIT
//
// One load of bench/load.hpp on HikariCP over connections that do nothing, as in HikariCP's own
// benchmark: autoCommit off, validation as it is by default. The same loop, the same line of JSON.
// The same threads warm up first, which is not counted.
//
//   BenchHikari --load NAME --threads N --connections N --hold none|busy|sleep --held-ns N
//               --seconds S --warmup S
//   BenchHikari --version
//
// Called by bench/peers/run.py, with a process for each cell: what the compiler learnt from one
// load is not what it would do for another.
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.io.InputStream;
import java.net.URI;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.jar.Manifest;

public final class BenchHikari {
    private static final int WARM_UP = 1;
    private static final int MEASURE = 2;
    private static volatile int phase;

    enum Hold { NONE, BUSY, SLEEP }

    record Load(String name, int threads, int connections, Hold hold, long heldNs) {}

    // parkNanos is timed like nanosleep; Thread.sleep would round up to a millisecond. A permit
    // that the pool left behind ends it at once, hence the loop.
    private static void hold(Hold hold, long ns) {
        final long until = System.nanoTime() + ns;
        for (long left = ns; left > 0; left = until - System.nanoTime()) {
            if (hold == Hold.SLEEP) LockSupport.parkNanos(left);
        }
    }

    private static final class Borrower extends Thread {
        private final HikariDataSource pool;
        private final Load load;
        private final CountDownLatch ready;
        private final CountDownLatch go;
        long cycles;
        long[] waits = new long[1 << 14];
        int waited;

        Borrower(HikariDataSource pool, Load load, CountDownLatch ready, CountDownLatch go) {
            this.pool = pool;
            this.load = load;
            this.ready = ready;
            this.go = go;
        }

        @Override
        public void run() {
            try {
                ready.countDown();
                go.await();
                cycle(WARM_UP);
                waited = 0;
                cycles = cycle(MEASURE);
            } catch (SQLException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        private long cycle(int during) throws SQLException {
            return load.hold() == Hold.NONE ? cycleOnly(during) : cycleAndHold(during);
        }

        // A clock read in each cycle would cost as much as the cycle.
        private long cycleOnly(int during) throws SQLException {
            long done = 0;
            while (phase == during) {
                final Connection mine = pool.getConnection();
                mine.close();
                ++done;
            }
            return done;
        }

        private long cycleAndHold(int during) throws SQLException {
            long done = 0;
            while (phase == during) {
                final long asked = System.nanoTime();
                final Connection mine = pool.getConnection();
                note(System.nanoTime() - asked);
                hold(load.hold(), load.heldNs());
                mine.close();
                ++done;
            }
            return done;
        }

        private void note(long wait) {
            if (waited == waits.length) waits = Arrays.copyOf(waits, 2 * waited);
            waits[waited++] = wait;
        }
    }

    private static HikariDataSource open(int connections) throws InterruptedException {
        final HikariConfig config = new HikariConfig();
        config.setDataSource(new NoopDataSource());
        config.setMaximumPoolSize(connections);
        config.setMinimumIdle(connections);
        config.setAutoCommit(false);
        final HikariDataSource pool = new HikariDataSource(config);
        // The rest of them are opened behind the back of whoever has the first.
        while (pool.getHikariPoolMXBean().getTotalConnections() < connections) Thread.sleep(1);
        return pool;
    }

    private static void run(HikariDataSource pool, Load load, double warmup, double seconds)
            throws InterruptedException {
        final CountDownLatch ready = new CountDownLatch(load.threads());
        final CountDownLatch go = new CountDownLatch(1);
        final Borrower[] borrowers = new Borrower[load.threads()];
        for (int i = 0; i < borrowers.length; ++i) {
            borrowers[i] = new Borrower(pool, load, ready, go);
            borrowers[i].start();
        }
        ready.await();
        phase = WARM_UP;
        go.countDown();
        Thread.sleep(Math.round(warmup * 1e3));
        final long begun = System.nanoTime();
        phase = MEASURE;
        Thread.sleep(Math.round(seconds * 1e3));
        phase = 0;
        final double took = (System.nanoTime() - begun) / 1e9;
        for (Borrower borrower : borrowers) borrower.join();
        print(load, borrowers, took);
    }

    private static void print(Load load, Borrower[] borrowers, double took) {
        long cycles = 0;
        long most = 0;
        long least = Long.MAX_VALUE;
        int waited = 0;
        for (Borrower one : borrowers) {
            cycles += one.cycles;
            most = Math.max(most, one.cycles);
            least = Math.min(least, one.cycles);
            waited += one.waited;
        }
        final long[] waits = new long[waited];
        int at = 0;
        for (Borrower one : borrowers) {
            System.arraycopy(one.waits, 0, waits, at, one.waited);
            at += one.waited;
        }
        Arrays.sort(waits);
        System.out.printf(Locale.ROOT,
            "{\"pool\":\"hikaricp\",\"load\":\"%s\",\"threads\":%d,\"connections\":%d,"
            + "\"per_s\":%.0f,\"spread\":%.3f,\"p50_us\":%.3f,\"p99_us\":%.3f,\"p999_us\":%.3f,"
            + "\"max_us\":%.3f}%n",
            load.name(), load.threads(), load.connections(), cycles / took,
            least == 0 ? 9999.0 : Math.min((double) most / least, 9999.0), us(waits, 0.5),
            us(waits, 0.99), us(waits, 0.999), us(waits, 1));
    }

    private static double us(long[] sorted, double quantile) {
        return sorted.length == 0 ? 0 : sorted[(int) (quantile * (sorted.length - 1))] / 1e3;
    }

    private static String version() throws Exception {
        final URI jar =
            HikariDataSource.class.getProtectionDomain().getCodeSource().getLocation().toURI();
        final URI manifest = new URI("jar:" + jar + "!/META-INF/MANIFEST.MF");
        try (InputStream in = manifest.toURL().openStream()) {
            return "HikariCP " + new Manifest(in).getMainAttributes().getValue("Bundle-Version")
                + ", OpenJDK " + System.getProperty("java.version");
        }
    }

    public static void main(String[] args) throws Exception {
        if (args.length == 1 && args[0].equals("--version")) {
            System.out.println(version());
            return;
        }
        final Map<String, String> given = new HashMap<>();
        for (int i = 0; i + 1 < args.length; i += 2) given.put(args[i], args[i + 1]);
        final Load load = new Load(given.get("--load"), Integer.parseInt(given.get("--threads")),
            Integer.parseInt(given.get("--connections")),
            Hold.valueOf(given.get("--hold").toUpperCase(Locale.ROOT)),
            Long.parseLong(given.get("--held-ns")));
        try (HikariDataSource pool = open(load.connections())) {
            run(pool, load, Double.parseDouble(given.get("--warmup")),
                Double.parseDouble(given.get("--seconds")));
        }
    }
}
