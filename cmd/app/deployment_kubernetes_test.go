package main

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestKubernetes(t *testing.T) {
	t.Parallel()
	objects := readKubernetes(t)
	deployment := objects.deployment.Spec
	pod := deployment.Template.Spec
	rolling := deployment.Strategy.RollingUpdate
	if deployment.Replicas < 2 || rolling.MaxUnavailable != 0 || rolling.MaxSurge < 1 || objects.disruption.Spec.MaxUnavailable != 1 {
		t.Errorf("changes are not accepted all the time: %+v", deployment.Strategy)
	}
	if !pod.SecurityContext.RunAsNonRoot || pod.SecurityContext.RunAsUser == 0 {
		t.Errorf("it runs as root: %+v", pod.SecurityContext)
	}
	if command := commandLine(t, pod.InitContainers[0].Args...); command != "migrate" {
		t.Errorf("the init container runs app %s", command)
	}
	serve := pod.Containers[0]
	if command := commandLine(t, serve.Args...); command != "serve" {
		t.Errorf("the container runs app %s", command)
	}
	grace := time.Duration(pod.TerminationGracePeriodSeconds-serve.Lifecycle.PreStop.Sleep.Seconds) * time.Second
	if grace < longestStop+3*time.Second {
		t.Errorf("it is killed %s after SIGTERM, and may take %s to stop", grace, longestStop)
	}
	for _, c := range append(pod.InitContainers, serve) {
		c.check(t, objects.config.Data)
	}
	if c := serve; c.ReadinessProbe.TimeoutSeconds < 3 || c.Ports[0].Name != objects.service.Spec.Ports[0].TargetPort {
		t.Errorf("the service does not reach it, or the probe gives up before /readyz does: %+v", c)
	}
}

// check holds the container's variables against the program's. The ConfigMap is for all of them.
func (c container) check(t *testing.T, config map[string]string) {
	t.Helper()
	variables := variablesOf(t, "serve")
	names := []string{}
	for name := range config {
		names = append(names, name)
	}
	for _, variable := range c.Env {
		names = append(names, variable.Name)
		if secret := variable.ValueFrom.SecretKeyRef; variable.Value == "" && secret.Key != variable.Name {
			t.Errorf("%s: %s is read from %q", c.Name, variable.Name, secret.Key)
		}
	}
	for _, name := range names {
		if _, known := variables[name]; !known && !notOurs(name) {
			t.Errorf("%s: %s is no variable of app serve", c.Name, name)
		}
	}
	confined := c.SecurityContext
	if !confined.ReadOnlyRootFilesystem || confined.AllowPrivilegeEscalation == nil || *confined.AllowPrivilegeEscalation {
		t.Errorf("%s is not confined: %+v", c.Name, confined)
	}
}

// The probes, and Prometheus, ask for what there is, and need no token for it. Clerk's failure fails no probe.
func TestKubernetesProbes(t *testing.T) {
	i := install(t, 1)
	got := runApp(t, t.Context(), "", i.environment, "migrate")
	if got.code != exitOK {
		t.Fatalf("migrate: %+v", got)
	}
	deployment := readKubernetes(t).deployment.Spec.Template
	serve := deployment.Spec.Containers[0]
	i.serve(serve.Args[1:]...)
	(&console{t, i.environment}).run(exitOK, "breaker", "open", "--reason=degraded is ready")
	for name, path := range map[string]string{
		"startup": serve.StartupProbe.HTTPGet.Path, "liveness": serve.LivenessProbe.HTTPGet.Path,
		"readiness": serve.ReadinessProbe.HTTPGet.Path, "Prometheus": deployment.Metadata.Annotations["prometheus.io/path"],
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.TrimSuffix(i.api.base, "/v1/organizations/")+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if path == "" || response.StatusCode != http.StatusOK {
			t.Errorf("%s: %q answers %d", name, path, response.StatusCode)
		}
	}
}
