import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Verifies Chopmark's leases offline with what is in the JDK since Java 15, as a program in Java would.
 *
 * <pre>java tests/conformance/java/VerifyLeases.java crates/client/tests/vectors/leases.json</pre>
 *
 * Reads the test vectors, judges each, and exits with 1 if a verdict differs from the one in the file. A program that
 * has a JSON library, or a JWT library with EdDSA, uses that instead of {@link Json} and {@link #signedBy}.
 */
public final class VerifyLeases {
    private static final String LEASE = "chopmark-lease+jwt";
    private static final String ENDORSEMENT = "chopmark-key+jwt";
    private static final int CHAIN_MAX = 16;
    private static final long LEEWAY_SECONDS = 300;

    /** What stands before the 32 bytes of an Ed25519 key in an X.509 SubjectPublicKeyInfo (RFC 8410). */
    private static final byte[] KEY_PREFIX = new BigInteger("302a300506032b6570032100", 16).toByteArray();

    /** Why a lease does not hold. */
    static final class Refused extends Exception {
        Refused(String why) {
            super(why);
        }
    }

    /** What a lease must say to be ours. */
    record Expected(String issuer, String product, String subject, String machine, String deployment) {}

    public static void main(String[] arguments) throws Exception {
        Map<?, ?> vectors = (Map<?, ?>) Json.parse(Files.readString(Path.of(arguments[0])));
        Map<String, PublicKey> trusted = trustedKeys((Map<?, ?>) vectors.get("root_key"), (Map<?, ?>) vectors.get("key_set"));
        List<?> leases = (List<?>) vectors.get("leases");
        int wrong = 0;
        for (Object lease : leases) {
            Map<?, ?> vector = (Map<?, ?>) lease;
            Expected expected = new Expected(
                text(vector, "issuer"), text(vector, "audience"), text(vector, "subject"),
                text(vector, "machine"), text(vector, "deployment"));
            String verdict;
            try {
                verdict = verifyLease(text(vector, "jws"), trusted, expected, seconds(vector, "now"));
            } catch (Refused refused) {
                verdict = "denied:" + refused.getMessage();
            }
            if (!verdict.equals(vector.get("expected"))) {
                wrong++;
                System.err.println(vector.get("name") + ": " + verdict + " instead of " + vector.get("expected"));
            }
        }
        System.out.println(leases.size() + " leases judged, " + wrong + " wrongly");
        System.exit(wrong > 0 || leases.isEmpty() ? 1 : 0);
    }

    /** {@code licensed} or {@code in_grace}. */
    static String verifyLease(String lease, Map<String, PublicKey> trusted, Expected expected, long now) throws Refused {
        Map<?, ?> claims = signedBy(lease, LEASE, trusted);
        hold(expected.issuer.equals(claims.get("iss")), "issuer");
        hold(expected.product.equals(claims.get("aud")), "product");
        hold(expected.subject.equals(claims.get("sub")), "subject");
        hold(Objects.equals(expected.deployment, claims.get("deployment")), "subject");
        hold(Objects.equals(expected.machine, claims.get("machine")), "machine");
        hold(Math.max(seconds(claims, "iat"), seconds(claims, "nbf")) <= now + LEEWAY_SECONDS, "not_yet");
        hold(now < seconds(claims, "exp"), "ended");
        return now < seconds(claims, "renew_by") ? "licensed" : "in_grace";
    }

    /** The pinned key, and those that a trusted one vouches for, link by link. */
    static Map<String, PublicKey> trustedKeys(Map<?, ?> root, Map<?, ?> keySet) throws Refused {
        Map<String, PublicKey> trusted = new HashMap<>();
        trusted.put(keyId(text(root, "x")), key(text(root, "x")));
        for (int link = 0; link < CHAIN_MAX; link++) {
            Map<String, PublicKey> vouched = new HashMap<>();
            for (Object offered : (List<?>) keySet.get("keys")) {
                Map<?, ?> jwk = (Map<?, ?>) offered;
                if ("OKP".equals(jwk.get("kty")) && "Ed25519".equals(jwk.get("crv")) && endorsed(jwk, trusted)) {
                    vouched.put(keyId(text(jwk, "x")), key(text(jwk, "x")));
                }
            }
            trusted.putAll(vouched);
        }
        return trusted;
    }

    private static boolean endorsed(Map<?, ?> jwk, Map<String, PublicKey> trusted) throws Refused {
        for (Object endorsement : (List<?>) jwk.get("endorsements")) {
            try {
                Map<?, ?> stated = signedBy((String) endorsement, ENDORSEMENT, trusted);
                if (keyId(text(jwk, "x")).equals(stated.get("kid")) && text(jwk, "x").equals(stated.get("x"))) {
                    return true;
                }
            } catch (Refused refused) {
                // The next one may do.
            }
        }
        return false;
    }

    /** The claims of a JWS: EdDSA and nothing else, of this type, by a trusted key. */
    static Map<?, ?> signedBy(String jws, String typ, Map<String, PublicKey> trusted) throws Refused {
        String[] parts = jws.split("\\.", -1);
        hold(parts.length == 3, "malformed");
        Map<?, ?> header = object(decode(parts[0]));
        hold("EdDSA".equals(header.get("alg")), "algorithm");
        hold(typ.equals(header.get("typ")) && !header.containsKey("crit"), "type");
        hold(header.get("kid") instanceof String && trusted.containsKey((String) header.get("kid")), "unknown_key");
        try {
            Signature ed25519 = Signature.getInstance("Ed25519");
            ed25519.initVerify(trusted.get((String) header.get("kid")));
            ed25519.update((parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII));
            hold(ed25519.verify(decode(parts[2])), "signature");
        } catch (GeneralSecurityException malformed) {
            throw new Refused("signature");
        }
        return object(decode(parts[1]));
    }

    private static PublicKey key(String x) throws Refused {
        byte[] raw = decode(x);
        byte[] encoded = new byte[KEY_PREFIX.length + raw.length];
        System.arraycopy(KEY_PREFIX, 0, encoded, 0, KEY_PREFIX.length);
        System.arraycopy(raw, 0, encoded, KEY_PREFIX.length, raw.length);
        try {
            return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded));
        } catch (GeneralSecurityException malformed) {
            throw new Refused("malformed");
        }
    }

    /** The RFC 7638 thumbprint of an Ed25519 key. */
    private static String keyId(String x) {
        String members = "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"" + x + "\"}";
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(members.getBytes(StandardCharsets.US_ASCII));
            return Base64.getUrlEncoder().withoutPadding().encodeToString(digest);
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static byte[] decode(String part) throws Refused {
        try {
            return Base64.getUrlDecoder().decode(part);
        } catch (IllegalArgumentException malformed) {
            throw new Refused("malformed");
        }
    }

    private static Map<?, ?> object(byte[] json) throws Refused {
        try {
            if (Json.parse(new String(json, StandardCharsets.UTF_8)) instanceof Map<?, ?> object) {
                return object;
            }
        } catch (RuntimeException malformed) {
            // Said below.
        }
        throw new Refused("malformed");
    }

    private static void hold(boolean holds, String why) throws Refused {
        if (!holds) {
            throw new Refused(why);
        }
    }

    private static String text(Map<?, ?> object, String name) {
        return (String) object.get(name);
    }

    private static long seconds(Map<?, ?> object, String name) throws Refused {
        if (object.get(name) instanceof Long seconds) {
            return seconds;
        }
        throw new Refused("malformed");
    }

    /** JSON, read strictly: objects without duplicate names, arrays, texts, whole numbers, true, false and null. */
    static final class Json {
        private final String json;
        private int at;

        private Json(String json) {
            this.json = json;
        }

        static Object parse(String json) {
            Json reader = new Json(json);
            Object value = reader.value();
            reader.blanks();
            check(reader.at == json.length());
            return value;
        }

        private static void check(boolean holds) {
            if (!holds) {
                throw new IllegalArgumentException("not JSON");
            }
        }

        private Object value() {
            blanks();
            check(at < json.length());
            return switch (json.charAt(at)) {
                case '{' -> members();
                case '[' -> items();
                case '"' -> string();
                case 't' -> word("true", true);
                case 'f' -> word("false", false);
                case 'n' -> word("null", null);
                default -> number();
            };
        }

        private Map<String, Object> members() {
            Map<String, Object> members = new LinkedHashMap<>();
            at++;
            if (next('}')) {
                return members;
            }
            do {
                blanks();
                String name = string();
                check(next(':') && !members.containsKey(name));
                members.put(name, value());
            } while (next(','));
            check(next('}'));
            return members;
        }

        private List<Object> items() {
            List<Object> items = new ArrayList<>();
            at++;
            if (next(']')) {
                return items;
            }
            do {
                items.add(value());
            } while (next(','));
            check(next(']'));
            return items;
        }

        private String string() {
            check(at < json.length() && json.charAt(at++) == '"');
            StringBuilder text = new StringBuilder();
            while (true) {
                check(at < json.length());
                char character = json.charAt(at++);
                if (character == '"') {
                    return text.toString();
                }
                text.append(character == '\\' ? escaped() : character);
            }
        }

        private char escaped() {
            check(at < json.length());
            char character = json.charAt(at++);
            if (character == 'u') {
                check(at + 4 <= json.length());
                at += 4;
                return (char) Integer.parseInt(json.substring(at - 4, at), 16);
            }
            int plain = "\"\\/bfnrt".indexOf(character);
            check(plain >= 0);
            return "\"\\/\b\f\n\r\t".charAt(plain);
        }

        private Long number() {
            int begin = at;
            while (at < json.length() && "-0123456789".indexOf(json.charAt(at)) >= 0) {
                at++;
            }
            return Long.valueOf(json.substring(begin, at));
        }

        private Object word(String word, Object value) {
            check(json.startsWith(word, at));
            at += word.length();
            return value;
        }

        private boolean next(char wanted) {
            blanks();
            boolean there = at < json.length() && json.charAt(at) == wanted;
            at += there ? 1 : 0;
            return there;
        }

        private void blanks() {
            while (at < json.length() && " \t\r\n".indexOf(json.charAt(at)) >= 0) {
                at++;
            }
        }
    }
}
