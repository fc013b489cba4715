// A caller in C#: an asynchronous POST of a data contract whose parameters are texts.
// Usage: Trigger.exe URL TOKEN EXPERIMENT VALUE
using System;
using System.Collections.Generic;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Runtime.Serialization;
using System.Text;
using System.Threading.Tasks;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

[DataContract]
public class SubmitPipelineRunRequest
{
    [DataMember]
    public string ExperimentName { get; set; }

    [DataMember]
    public string Description { get; set; }

    [DataMember(IsRequired = false)]
    public IDictionary<string, string> ParameterAssignments { get; set; }
}

public static class Trigger
{
    public static int Main(string[] arguments)
    {
        return Submit(arguments[0], arguments[1], arguments[2], arguments[3]).GetAwaiter().GetResult();
    }

    private static async Task<int> Submit(string restEndpoint, string authKey, string experiment, string value)
    {
        using (HttpClient client = new HttpClient())
        {
            var submitPipelineRunRequest = new SubmitPipelineRunRequest()
            {
                ExperimentName = experiment,
                Description = "Asynchronous C# REST api call",
                ParameterAssignments = new Dictionary<string, string> { { "pipeline_arg", value } }
            };
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", authKey);

            var requestPayload = JsonConvert.SerializeObject(submitPipelineRunRequest);
            var httpContent = new StringContent(requestPayload, Encoding.UTF8, "application/json");
            var submitResponse = await client.PostAsync(restEndpoint, httpContent).ConfigureAwait(false);
            var result = await submitResponse.Content.ReadAsStringAsync().ConfigureAwait(false);
            if (!submitResponse.IsSuccessStatusCode)
            {
                Console.Error.WriteLine((int)submitResponse.StatusCode + " " + result);
                return 1;
            }
            Console.WriteLine((string)JObject.Parse(result)["Id"]);
            return 0;
        }
    }
}
