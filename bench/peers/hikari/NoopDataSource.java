// SPDX-License-Identifier: MIT
//
// A data source whose connections do nothing, written out by hand: a reflection proxy would cost
// more than the pool. What a pool asks of a connection is answered as by one that is in order; what
// only a query would ask is refused.
import java.io.PrintWriter;
import java.sql.Array;
import java.sql.Blob;
import java.sql.CallableStatement;
import java.sql.Clob;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.NClob;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.SQLWarning;
import java.sql.SQLXML;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Struct;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Executor;
import java.util.logging.Logger;
import javax.sql.DataSource;

final class NoopDataSource implements DataSource {
    @Override public Connection getConnection() { return new NoopConnection(); }
    @Override public Connection getConnection(String user, String password) {
        return new NoopConnection();
    }
    @Override public PrintWriter getLogWriter() { return null; }
    @Override public void setLogWriter(PrintWriter to) {}
    @Override public void setLoginTimeout(int seconds) {}
    @Override public int getLoginTimeout() { return 0; }
    @Override public Logger getParentLogger() { return Logger.getGlobal(); }
    @Override public <T> T unwrap(Class<T> as) throws SQLException { throw new SQLException("no"); }
    @Override public boolean isWrapperFor(Class<?> what) { return false; }
}

final class NoopConnection implements Connection {
    private boolean autoCommit = true;
    private boolean closed;

    private static SQLException none() {
        return new SQLFeatureNotSupportedException("there is no database");
    }

    @Override public Statement createStatement() throws SQLException { throw none(); }
    @Override public PreparedStatement prepareStatement(String a) throws SQLException {
        throw none();
    }
    @Override public CallableStatement prepareCall(String a) throws SQLException { throw none(); }
    @Override public String nativeSQL(String a) throws SQLException { throw none(); }
    @Override public void setAutoCommit(boolean a) { autoCommit = a; }
    @Override public boolean getAutoCommit() { return autoCommit; }
    @Override public void commit() {}
    @Override public void rollback() {}
    @Override public void close() { closed = true; }
    @Override public boolean isClosed() { return closed; }
    @Override public DatabaseMetaData getMetaData() throws SQLException { throw none(); }
    @Override public void setReadOnly(boolean a) {}
    @Override public boolean isReadOnly() { return false; }
    @Override public void setCatalog(String a) {}
    @Override public String getCatalog() { return null; }
    @Override public void setTransactionIsolation(int a) {}
    @Override public int getTransactionIsolation() { return TRANSACTION_READ_COMMITTED; }
    @Override public SQLWarning getWarnings() { return null; }
    @Override public void clearWarnings() {}
    @Override public Statement createStatement(int a, int b) throws SQLException { throw none(); }
    @Override public PreparedStatement prepareStatement(String a, int b, int c)
            throws SQLException {
        throw none();
    }
    @Override public CallableStatement prepareCall(String a, int b, int c) throws SQLException {
        throw none();
    }
    @Override public Map<String, Class<?>> getTypeMap() { return null; }
    @Override public void setTypeMap(Map<String, Class<?>> a) {}
    @Override public void setHoldability(int a) {}
    @Override public int getHoldability() { return 0; }
    @Override public Savepoint setSavepoint() throws SQLException { throw none(); }
    @Override public Savepoint setSavepoint(String a) throws SQLException { throw none(); }
    @Override public void rollback(Savepoint a) throws SQLException { throw none(); }
    @Override public void releaseSavepoint(Savepoint a) throws SQLException { throw none(); }
    @Override public Statement createStatement(int a, int b, int c) throws SQLException {
        throw none();
    }
    @Override public PreparedStatement prepareStatement(String a, int b, int c, int d)
            throws SQLException {
        throw none();
    }
    @Override public CallableStatement prepareCall(String a, int b, int c, int d)
            throws SQLException {
        throw none();
    }
    @Override public PreparedStatement prepareStatement(String a, int b) throws SQLException {
        throw none();
    }
    @Override public PreparedStatement prepareStatement(String a, int[] b) throws SQLException {
        throw none();
    }
    @Override public PreparedStatement prepareStatement(String a, String[] b) throws SQLException {
        throw none();
    }
    @Override public Clob createClob() throws SQLException { throw none(); }
    @Override public Blob createBlob() throws SQLException { throw none(); }
    @Override public NClob createNClob() throws SQLException { throw none(); }
    @Override public SQLXML createSQLXML() throws SQLException { throw none(); }
    @Override public boolean isValid(int a) { return !closed; }
    @Override public void setClientInfo(String a, String b) {}
    @Override public void setClientInfo(Properties a) {}
    @Override public String getClientInfo(String a) { return null; }
    @Override public Properties getClientInfo() { return null; }
    @Override public Array createArrayOf(String a, Object[] b) throws SQLException { throw none(); }
    @Override public Struct createStruct(String a, Object[] b) throws SQLException { throw none(); }
    @Override public void setSchema(String a) {}
    @Override public String getSchema() { return null; }
    @Override public void abort(Executor a) { closed = true; }
    @Override public void setNetworkTimeout(Executor a, int b) {}
    @Override public int getNetworkTimeout() { return 0; }
    @Override public <T> T unwrap(Class<T> as) throws SQLException { throw none(); }
    @Override public boolean isWrapperFor(Class<?> what) { return false; }
}
