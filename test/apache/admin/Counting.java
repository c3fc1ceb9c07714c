import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.admin.Admin;

/** An Admin that remembers which of its methods were called. */
final class Counting {
  final Set<String> called = ConcurrentHashMap.newKeySet();
  final Admin admin;

  Counting(Admin real) {
    admin = (Admin) Proxy.newProxyInstance(Admin.class.getClassLoader(), new Class<?>[] {Admin.class}, (proxy, method, args) -> {
      called.add(method.getName());
      try {
        return method.invoke(real, args);
      } catch (InvocationTargetException error) {
        throw error.getCause();
      }
    });
  }
}
