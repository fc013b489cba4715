// A caller in Java: a client-credentials grant, then the trigger with `Authorization: Token`.
// The stock HttpClient sends no Content-Type on either request; anything but 200 is a failure.
// Usage: Trigger LOGIN_HOST TENANT CLIENT_ID CLIENT_SECRET RESOURCE SCORING_URI BODY

import com.google.gson.Gson;
import com.google.gson.JsonParser;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Optional;

public class Trigger {
    public static void main(String[] arguments) {
        String loginHost = arguments[0];
        String scoringUri = arguments[5];
        String dataToBeScored = arguments[6];

        HttpClient client = HttpClient.newBuilder().build();
        Gson gson = new Gson();

        HttpRequest tokenRequest =
            tokenAuthenticationRequest(loginHost, arguments[1], arguments[2], arguments[3], arguments[4]);
        Optional<String> authBody = getRequestBody(client, tokenRequest);
        Optional<String> authKey =
            authBody.flatMap(body -> Optional.of(gson.fromJson(body, AuthenticationBody.class).access_token));
        Optional<String> scoringResult =
            authKey
                .flatMap(key -> Optional.of(scoringRequest(key, scoringUri, dataToBeScored)))
                .flatMap(request -> getRequestBody(client, request));
        if (scoringResult.isEmpty()) {
            System.exit(1);
        }
        System.out.println(
            JsonParser.parseString(scoringResult.get()).getAsJsonObject().get("Id").getAsString());
    }

    static HttpRequest tokenAuthenticationRequest(
            String loginHost, String tenantId, String clientId, String clientSecret, String resourceManagerUrl) {
        String authUrl = String.format("https://%s/%s/oauth2/token", loginHost, tenantId);
        String bodyString =
            String.format(
                "grant_type=client_credentials&client_id=%s&resource=%s&client_secret=%s",
                clientId, resourceManagerUrl, clientSecret);
        return HttpRequest.newBuilder()
            .uri(URI.create(authUrl))
            .POST(HttpRequest.BodyPublishers.ofString(bodyString))
            .build();
    }

    static HttpRequest scoringRequest(String authKey, String scoringUri, String dataToBeScored) {
        return HttpRequest.newBuilder()
            .uri(URI.create(scoringUri))
            .header("Authorization", String.format("Token %s", authKey))
            .POST(HttpRequest.BodyPublishers.ofString(dataToBeScored))
            .build();
    }

    static Optional<String> getRequestBody(HttpClient client, HttpRequest request) {
        try {
            HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != 200) {
                System.err.println(
                    String.format("Unexpected server response %d: %s", response.statusCode(), response.body()));
                return Optional.empty();
            }
            return Optional.of(response.body());
        } catch (Exception exception) {
            System.err.println(exception.toString());
            return Optional.empty();
        }
    }

    static class AuthenticationBody {
        String access_token;
        String token_type;
        int expires_in;
        String scope;
        String refresh_token;
        String id_token;
    }
}
