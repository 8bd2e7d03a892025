package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The API of Kubernetes 1.30, as far as the manifest uses it. It is decoded strictly: what is not here was misspelt, or put where
// Kubernetes does not look for it; whoever adds a field adds it here, from
// https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.30/

// kubernetes has the objects of the manifest, one of each kind.
type kubernetes struct {
	config     configMap
	deployment object[deploymentSpec]
	service    object[serviceSpec]
	disruption object[disruptionSpec]
}

type object[Spec any] struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   metadata
	Spec       Spec
}

type configMap struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   metadata
	Data       map[string]string
}

type metadata struct {
	Name                string
	Labels, Annotations map[string]string
}

type selector struct {
	MatchLabels map[string]string `yaml:"matchLabels"`
}

type deploymentSpec struct {
	Replicas int
	Selector selector
	Strategy struct {
		Type          string
		RollingUpdate struct {
			MaxUnavailable int `yaml:"maxUnavailable"`
			MaxSurge       int `yaml:"maxSurge"`
		} `yaml:"rollingUpdate"`
	}
	MinReadySeconds         int `yaml:"minReadySeconds"`
	ProgressDeadlineSeconds int `yaml:"progressDeadlineSeconds"`
	Template                struct {
		Metadata metadata
		Spec     podSpec
	}
}

type serviceSpec struct {
	Selector map[string]string
	Ports    []struct {
		Name       string
		Port       int
		TargetPort string `yaml:"targetPort"`
	}
}

type disruptionSpec struct {
	MaxUnavailable int `yaml:"maxUnavailable"`
	Selector       selector
}

type podSpec struct {
	AutomountServiceAccountToken  *bool `yaml:"automountServiceAccountToken"`
	TerminationGracePeriodSeconds int   `yaml:"terminationGracePeriodSeconds"`
	SecurityContext               struct {
		RunAsNonRoot   bool `yaml:"runAsNonRoot"`
		RunAsUser      int  `yaml:"runAsUser"`
		RunAsGroup     int  `yaml:"runAsGroup"`
		SeccompProfile struct {
			Type string
		} `yaml:"seccompProfile"`
	} `yaml:"securityContext"`
	TopologySpreadConstraints []struct {
		MaxSkew           int      `yaml:"maxSkew"`
		TopologyKey       string   `yaml:"topologyKey"`
		WhenUnsatisfiable string   `yaml:"whenUnsatisfiable"`
		LabelSelector     selector `yaml:"labelSelector"`
	} `yaml:"topologySpreadConstraints"`
	InitContainers []container `yaml:"initContainers"`
	Containers     []container
}

type container struct {
	Name, Image string
	Args        []string
	Env         []struct {
		Name, Value string
		ValueFrom   struct {
			SecretKeyRef struct {
				Name, Key string
				Optional  bool
			} `yaml:"secretKeyRef"`
		} `yaml:"valueFrom"`
	}
	EnvFrom []struct {
		ConfigMapRef struct{ Name string } `yaml:"configMapRef"`
	} `yaml:"envFrom"`
	Ports []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
	}
	StartupProbe   probe `yaml:"startupProbe"`
	LivenessProbe  probe `yaml:"livenessProbe"`
	ReadinessProbe probe `yaml:"readinessProbe"`
	Lifecycle      struct {
		PreStop struct{ Sleep struct{ Seconds int } } `yaml:"preStop"`
	}
	Resources       struct{ Requests, Limits map[string]string }
	SecurityContext struct {
		ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
		AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
		Capabilities             struct{ Drop []string }
	} `yaml:"securityContext"`
}

type probe struct {
	HTTPGet          struct{ Path, Port string } `yaml:"httpGet"`
	PeriodSeconds    int                         `yaml:"periodSeconds"`
	TimeoutSeconds   int                         `yaml:"timeoutSeconds"`
	FailureThreshold int                         `yaml:"failureThreshold"`
}

func readKubernetes(t *testing.T) (objects kubernetes) {
	t.Helper()
	text, err := os.ReadFile("../../ops/kubernetes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	into := map[string]any{
		"v1 ConfigMap": &objects.config, "apps/v1 Deployment": &objects.deployment, "v1 Service": &objects.service,
		"policy/v1 PodDisruptionBudget": &objects.disruption,
	}
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		var kind object[any]
		if err := yaml.Unmarshal([]byte(document), &kind); err != nil {
			t.Fatal(err)
		}
		name := kind.APIVersion + " " + kind.Kind
		target, known := into[name]
		if !known {
			if name != " " { // nothing but comments
				t.Errorf("nobody looks at the %s", name)
			}
			continue
		}
		delete(into, name)
		decoder := yaml.NewDecoder(bytes.NewReader([]byte(document)))
		decoder.KnownFields(true)
		if err := decoder.Decode(target); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(into) > 0 {
		t.Errorf("the manifest lacks %v", into)
	}
	return objects
}
